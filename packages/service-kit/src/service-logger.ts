import { type DestinationStream, destination, type Logger, pino, stdTimeFunctions } from 'pino';
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
    stream ?? destination({ dest: 2, sync: true }),
  );
}
