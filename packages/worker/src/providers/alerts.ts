import type { LogFn } from 'pino';

/** What operators must know although no task fails of it. */
export interface Alert {
  /** The same text each time. */
  title: string;
  /** What happened this time; no secret of the worker is in it. */
  description: string;
}

/** Log lines for operators begin so. */
const mark = '[alert-operator] ';
/** The same alert is told once in so long: a fault that goes on is one fault. */
const repeatMs = 10 * 60_000;

/** A hook for a logger that hands the lines which are marked for operators to `tell`, beside logging them. */
export function alerting(
  tell: (alert: Alert) => void,
): (this: unknown, args: unknown[], method: LogFn) => void {
  const told = new Map<string, number>();
  return function (args, method) {
    const text = args.find((arg) => typeof arg === 'string');
    if (text?.startsWith(mark)) {
      const title = text.slice(mark.length);
      const now = Date.now();
      if (now - (told.get(title) ?? Number.NEGATIVE_INFINITY) >= repeatMs) {
        told.set(title, now);
        tell({ title, description: descriptionOf(args[0]) });
      }
    }
    method.apply(this as never, args as Parameters<LogFn>);
  };
}

function descriptionOf(facts: unknown): string {
  if (typeof facts !== 'object' || facts === null) {
    return '';
  }
  const { err, ...others } = facts as { err?: unknown; message?: unknown };
  const reason = err instanceof Error ? (err.message.split('\n')[0] ?? '') : '';
  const details = Object.entries(others).map(([name, value]) => `${name}: ${String(value)}`);
  return [reason, ...details].filter((part) => part !== '').join(', ');
}
