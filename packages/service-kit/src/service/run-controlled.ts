import { Console } from 'node:console';
import type { z } from 'zod';
import { type ControlReply, ControlRequest, controlLine } from '../control/control.ts';
import { LineTooLongError, readLines } from '../control/read-lines.ts';
import { standardError, standardOutput } from '../io/standard-streams.ts';
import { configProblems } from '../options/config-problems.ts';
import type { AnyOptionTable } from '../options/option-table.ts';
import type { ServiceConfig } from '../options/service-config.ts';
import { ServiceError } from '../service-error.ts';
import type { RunningService, ServiceDefinition } from './service.ts';
import { ServiceRuntime } from './service-runtime.ts';

export interface ControlledRun<Schema extends z.ZodType<ServiceConfig>> {
  definition: ServiceDefinition<Schema>;
  options: AnyOptionTable;
  /** Arguments beside `--control stdin`; there must be none, since the configuration comes from the worker. */
  unexpected: readonly string[];
}

/** Longest accepted control message. */
const maxControlLineBytes = 4 * 1024 * 1024;

/**
 * Runs the service under the control channel. Until `configure` arrives the process is warm: all code is
 * loaded and nothing listens. The end of standard input means that the worker is gone.
 */
export async function runControlled<Schema extends z.ZodType<ServiceConfig>>(run: ControlledRun<Schema>) {
  const { definition, options } = run;
  if (run.unexpected.length > 0) {
    standardError.write(`${definition.name} cannot start:\n  --control stdin takes no other options\n`);
    process.exit(1);
  }
  // Standard output carries replies only, whatever a library prints.
  globalThis.console = new Console(process.stderr, process.stderr);

  const code = await definition.load();
  const runtime = new ServiceRuntime(
    { definition, options, emit: (event) => send({ type: 'event', event }) },
    code.start,
  );
  const conversation = new Conversation(definition, code.config, runtime);

  // Messages are handled one after the other, but reading goes on meanwhile: the end of input must be
  // seen even while the service is still starting.
  let handled: Promise<void> = Promise.resolve();
  try {
    for await (const line of readLines(process.stdin, maxControlLineBytes)) {
      if (line.trim() !== '') handled = handled.then(() => conversation.handle(line));
    }
  } catch (error) {
    const message = error instanceof LineTooLongError ? error.message : 'standard input failed';
    send({ type: 'refused', request: 'unknown', message });
  }
  runtime.stop.stop();
}

class Conversation<Schema extends z.ZodType<ServiceConfig>> {
  readonly #definition: ServiceDefinition<Schema>;
  readonly #config: Schema;
  readonly #runtime: ServiceRuntime<Schema>;
  #service: RunningService | undefined;

  constructor(definition: ServiceDefinition<Schema>, config: Schema, runtime: ServiceRuntime<Schema>) {
    this.#definition = definition;
    this.#config = config;
    this.#runtime = runtime;
  }

  async handle(line: string): Promise<void> {
    const { message, problem } = parseMessage(line);
    if (!message) {
      send({ type: 'refused', request: kindOf(line), message: problem });
      if (!this.#service) process.exit(1);
      return;
    }
    if (message.type === 'configure') await this.#configure(message.config);
    else await this.#applyCredentials(message);
  }

  async #configure(input: unknown): Promise<void> {
    if (this.#service) return this.#refuse('configure', 'is configured already');
    this.#runtime.learnSecrets(input);
    const config = this.#config.safeParse(input);
    if (!config.success) {
      this.#refuse('configure', configProblems(config.error, input).join('; '));
      process.exit(1);
    }
    try {
      const { service, adminPort } = await this.#runtime.start(config.data);
      this.#service = service;
      const { name, version } = this.#definition;
      send({ type: 'ready', name, version, port: service.port, adminPort });
    } catch (error) {
      this.#refuse('configure', messageOf(error));
      process.exit(1);
    }
  }

  async #applyCredentials({ credentials }: ControlRequest & { type: 'credentials' }): Promise<void> {
    if (!this.#service) {
      this.#refuse('credentials', 'the first message must be configure');
      process.exit(1);
    }
    if (!this.#service.applyCredentials)
      return this.#refuse('credentials', 'this service takes no credentials');
    this.#runtime.redactor.learn(credentials.accessToken);
    this.#runtime.redactor.learn(credentials.certificate);
    try {
      await this.#service.applyCredentials(credentials);
      send({ type: 'applied', request: 'credentials' });
    } catch (error) {
      this.#refuse('credentials', messageOf(error));
    }
  }

  #refuse(request: 'configure' | 'credentials', message: string): void {
    send({ type: 'refused', request, message: this.#runtime.redactor.redact(message) });
  }
}

function send(reply: ControlReply): void {
  standardOutput.write(controlLine(reply));
}

type Parsed = { message: ControlRequest; problem?: never } | { message?: never; problem: string };

function parseMessage(line: string): Parsed {
  let input: unknown;
  try {
    input = JSON.parse(line);
  } catch {
    // The parser's own message quotes the text, which may hold a secret.
    return { problem: 'is not valid JSON' };
  }
  const message = ControlRequest.safeParse(input);
  if (message.success) return { message: message.data };
  return { problem: configProblems(message.error, input).join('; ') };
}

function kindOf(line: string): 'configure' | 'credentials' | 'unknown' {
  const type = /^\s*\{\s*"type"\s*:\s*"(configure|credentials)"/.exec(line)?.[1];
  return type === 'configure' || type === 'credentials' ? type : 'unknown';
}

function messageOf(error: unknown): string {
  if (error instanceof ServiceError) return error.message;
  return error instanceof Error ? `internal error: ${error.message}` : 'internal error';
}
