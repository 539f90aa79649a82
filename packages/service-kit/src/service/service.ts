import type { Registry } from 'prom-client';
import type { z } from 'zod';
import type { Credentials } from '../control/control.ts';
import type { OptionTable } from '../options/option-table.ts';
import type { ServiceConfig } from '../options/service-config.ts';
import type { Logger } from '../telemetry/service-logger.ts';

/** What a service package says about itself; `defineService` makes its command line from it. */
export interface ServiceDefinition<Schema extends z.ZodType<ServiceConfig>> {
  /** As in the sidecar's manifest: `tc-proxy`. Also the prefix of its own variables, `TC_PROXY_…`. */
  name: string;
  version: string;
  /** The source revision the build was made from, or undefined outside a release. */
  revision?: string;
  /** One paragraph for `--help`. */
  description: string;
  /** How each key is given on the command line; the keys of `serviceConfigShape` are added by the kit. */
  options: OptionTable<z.input<Schema>>;
  /** Text of `--version`; default `<name> <version> (git revision <revision>)`. */
  versionText?: string;
  /**
   * Loads the code that serves. Called before any configuration arrives, so that a warm process answers
   * `configure` within milliseconds, and not at all for `--help` or `--healthcheck`.
   */
  load(): Promise<ServiceCode<Schema>>;
  /** Milliseconds that requests in flight may take after the end of standard input or a signal; default 3000. */
  drainMs?: number;
}

/** What a service's `start.ts` exports. */
export interface ServiceCode<Schema extends z.ZodType<ServiceConfig>> {
  /** The one configuration schema, for flags and variables as well as for `configure`. */
  config: Schema;
  start: StartService<z.output<Schema>>;
  /** For `--check-config`: what the schema cannot see. Throws a `ServiceError` without any secret in it. */
  check?(config: z.output<Schema>): void | Promise<void>;
  /**
   * Called in a warm process that waits for its configuration: runs what `start` will run once without
   * any effect, so that the first use of code and lazy libraries is paid for.
   */
  rehearse?(): Promise<void>;
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
