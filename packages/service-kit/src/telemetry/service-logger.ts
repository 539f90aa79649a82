import { type DestinationStream, type Logger, pino, stdTimeFunctions } from 'pino';
import { BestEffortStream } from '../io/standard-streams.ts';
import { type Redactor, redactFields } from './redactor.ts';

export type { Logger } from 'pino';

export interface LoggerOptions {
  /** Name of the service, on every line. */
  name: string;
  level: string;
  redactor: Redactor;
  /** Default: standard error, because standard output belongs to the control channel. */
  stream?: DestinationStream;
}

/** JSON lines from which secrets are removed twice: by field name, and by value in the finished line. */
export function createLogger({ name, level, redactor, stream }: LoggerOptions): Logger {
  return pino(
    {
      level,
      base: { service: name },
      timestamp: stdTimeFunctions.isoTime,
      formatters: {
        level: (label) => ({ level: label }),
        log: (fields) => redactFields(fields) as Record<string, unknown>,
      },
      hooks: { streamWrite: (line) => redactor.redact(line) },
    },
    stream ?? new BestEffortStream('stderr', lostLines(name)),
  );
}

function lostLines(service: string): (count: number) => string {
  return (lost) => {
    const time = new Date().toISOString();
    const msg = 'lines of the log before this one were lost: nobody read them, or there was no room';
    return `${JSON.stringify({ level: 'warn', time, service, lost, msg })}\n`;
  };
}
