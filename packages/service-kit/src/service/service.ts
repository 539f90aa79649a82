import type { Registry } from 'prom-client';
import type { z } from 'zod';
import type { Credentials } from '../control/control.ts';
import type { OptionTable } from '../options/option-table.ts';
import type { ServiceConfig } from '../options/service-config.ts';
import type { Logger } from '../telemetry/service-logger.ts';

/** What a service package says about itself; `defineService` makes its command line from it. */
export interface ServiceDescription<Schema extends z.ZodType<ServiceConfig>> {
  /**
   * The package's `package.json`. Its name without the scope is the service's, as in the sidecar's manifest (`tc-proxy`),
   * and the prefix of the service's own variables (`TC_PROXY_…`).
   */
  manifest: { name: string; version: string };
  /** One paragraph for `--help`. */
  description: string;
  /** How each key is given on the command line; the keys of `serviceConfigShape` are added by the kit. */
  options: OptionTable<z.input<Schema>>;
  /** Text of `--version`; default `<name> <version> (git revision <revision>)`. */
  versionText?(version: string, revision: string): string;
  /** Variables as the options are to see them; default: as they are. */
  environment?(env: Environment): Environment;
  /** What is wrong with the arguments as a whole, in a sentence. */
  usageProblem?(argv: readonly string[]): string | undefined;
  /**
   * Loads the code that serves. Called before any configuration arrives, so that a warm process answers
   * `configure` within milliseconds, and not at all for `--help` or `--healthcheck`.
   */
  load(): Promise<ServiceCode<Schema>>;
  /** Milliseconds that requests in flight may take after the end of standard input or a signal; default 3000. */
  drainMs?: number;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** The same with what follows from it. */
export interface ServiceDefinition<Schema extends z.ZodType<ServiceConfig>>
  extends Omit<ServiceDescription<Schema>, 'manifest'> {
  name: string;
  version: string;
  /** The source revision the build was made from; `unknown` outside of a release. */
  revision: string;
}

/** What a service's `start.ts` exports. */
export interface ServiceCode<Schema extends z.ZodType<ServiceConfig>> {
  /** The one configuration schema, for flags and variables as well as for `configure`. */
  config: Schema;
  start: StartService<z.output<Schema>>;
  /** For `--check-config`: what the schema cannot see. Throws a `ServiceError` without any secret in it. */
  check?(config: z.output<Schema>): void | Promise<void>;
}

/** Opens the data listener. What it throws ends the process; a `ServiceError`'s message is shown to the user. */
export type StartService<Config> = (config: Config, context: ServiceContext) => Promise<RunningService>;

export interface ServiceContext {
  logger: Logger;
  metrics: Registry;
  version: string;
  revision: string;
  /** True for stand-alone use, false under the control channel. */
  standalone: boolean;
  /** Aborted when the process is to end, even while `start` still runs. */
  stopping: AbortSignal;
  /** Tells the user a fact at start-up: plain text stand-alone, a log line under the control channel. */
  announce(text: string): void;
  /** Tells the worker something under the control channel, at once; nobody hears it stand-alone. */
  emit(event: unknown): void;
  /** A secret that came in after the configuration; from now on no log line shows it. */
  learnSecret(secret: string | undefined): void;
}

export interface RunningService {
  /** TCP port of the data listener. */
  port: number;
  /** Replaces the credentials as a whole or throws a `ServiceError` and changes nothing. */
  applyCredentials?(credentials: Credentials): void | Promise<void>;
  /** False while the service cannot do its work, e.g. while a tunnel is down; default: always ready. */
  isReady?(): boolean;
  /** More for people and monitors to see at `/health` of the admin listener; holds no secret. */
  health?(): object | Promise<object>;
  /** Stops accepting and resolves when no request is in flight. Called once. */
  drain(): Promise<void>;
  /** Closes what `drain` left open, at once. */
  destroy(): void | Promise<void>;
}
