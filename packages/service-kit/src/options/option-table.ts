import type { ServiceConfig } from './service-config.ts';

/** How one configuration key is given on the command line and in the environment. */
export interface Option {
  /** Long flag without dashes. Left out for positional arguments. */
  flag?: string;
  /** One-letter flag without its dash. */
  short?: string;
  /** Environment variable that is read when the flag is absent. */
  env?: string;
  /** One sentence for `--help`. */
  description: string;
  /** What stands for the value in `--help`; default `<value>`. */
  placeholder?: string;
  /** A flag without a value; `--no-<flag>` turns it off. */
  boolean?: boolean;
  /** Its value is never printed, neither in errors nor in logs. */
  secret?: boolean;
  /** Takes all arguments that are no flags, as a list; absent when there is none. */
  positional?: boolean;
  /** Turns text into what the schema takes; throws an Error whose message says what is wrong. Default: the text itself. */
  parse?(text: string): unknown;
  /** Used stand-alone when neither flag nor variable is given; the schema's own default otherwise. */
  standaloneDefault?: unknown;
  /** The default as `--help` shows it, where it comes from the schema. */
  shownDefault?: string;
}

type KeyPath<Config> = {
  [Key in keyof Config & string]:
    | Key
    | (NonNullable<Config[Key]> extends readonly unknown[]
        ? never
        : NonNullable<Config[Key]> extends object
          ? `${Key}.${keyof NonNullable<Config[Key]> & string}`
          : never);
}[keyof Config & string];

/** One entry for each configuration key; a dot reaches into a nested object: `credentials.clientId`. */
export type OptionTable<Config = Record<string, unknown>> = { readonly [Path in KeyPath<Config>]?: Option };

/** The same without the knowledge of which keys exist, as the kit's own code reads it. */
export type AnyOptionTable = Readonly<Record<string, Option | undefined>>;

/** Parses text that must be a decimal number. */
export function wholeNumber(text: string): number {
  if (!/^-?\d+$/.test(text)) throw new Error(`'${text}' is not a whole number`);
  return Number(text);
}

/** `tc-proxy` → `TC_PROXY`. */
export function envPrefix(serviceName: string): string {
  return serviceName.toUpperCase().replaceAll('-', '_');
}

/** The options of the keys that every service has. */
export function commonOptions(serviceName: string): OptionTable<ServiceConfig> {
  const prefix = envPrefix(serviceName);
  return {
    adminAddress: {
      flag: 'admin-address',
      env: `${prefix}_ADMIN_ADDRESS`,
      placeholder: '<ip>',
      description: 'Address of the health and metrics listener.',
      shownDefault: '127.0.0.1',
    },
    adminPort: {
      flag: 'admin-port',
      env: `${prefix}_ADMIN_PORT`,
      placeholder: '<n>',
      description: 'Port of the health and metrics listener; 0 takes a free one.',
      parse: wholeNumber,
      shownDefault: '8081',
    },
    logLevel: {
      flag: 'log-level',
      env: `${prefix}_LOG_LEVEL`,
      placeholder: '<level>',
      description: 'trace, debug, info, warn, error or silent.',
      shownDefault: 'info',
    },
  };
}
