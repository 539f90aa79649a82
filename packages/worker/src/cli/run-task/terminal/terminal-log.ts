/** A line of the worker's log, as pino writes it. */
interface LogLine {
  level: number;
  msg: string;
  err?: { message: string };
}

const levels: Record<number, string> = {
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'warning',
  50: 'error',
  60: 'fatal',
};

/** What the worker logs, for a person at a terminal: one line each, without the stack. */
export function terminalLog(terminal: { write(text: string): unknown }): { write(line: string): void } {
  return {
    write(line) {
      const { level, msg, err } = JSON.parse(line) as LogLine;
      const why = err === undefined ? '' : `: ${err.message.split('\n')[0]}`;
      terminal.write(`worker: ${levels[level] ?? level}: ${msg}${why}\n`);
    },
  };
}
