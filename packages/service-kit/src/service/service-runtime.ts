import { Registry } from 'prom-client';
import type { z } from 'zod';
import { standardError } from '../io/standard-streams.ts';
import type { AnyOptionTable } from '../options/option-table.ts';
import type { ServiceConfig } from '../options/service-config.ts';
import { Redactor } from '../telemetry/redactor.ts';
import { createLogger } from '../telemetry/service-logger.ts';
import { type AdminListener, openAdminListener } from './admin-listener.ts';
import type { RunningService, ServiceDefinition, StartService } from './service.ts';
import { StopController } from './stop-controller.ts';

export interface RuntimeOptions<Schema extends z.ZodType<ServiceConfig>> {
  definition: ServiceDefinition<Schema>;
  options: AnyOptionTable;
  /** Where start-up facts go stand-alone; absent under the control channel. */
  announce?(text: string): void;
  /** Where events for the worker go under the control channel. */
  emit?(event: unknown): void;
}

/** One service inside this process: what both ways of starting it have in common. */
export class ServiceRuntime<Schema extends z.ZodType<ServiceConfig>> {
  readonly redactor = new Redactor();
  readonly stop: StopController;
  readonly #given: RuntimeOptions<Schema>;
  readonly #start: StartService<z.output<Schema>>;

  constructor(given: RuntimeOptions<Schema>, start: StartService<z.output<Schema>>) {
    this.#given = given;
    this.#start = start;
    this.stop = new StopController({
      drainMs: given.definition.drainMs ?? 3_000,
      onFatal: (error) => this.#reportFatal(error),
    });
  }

  /** Makes the redactor know every secret that the option table marks in this (not yet validated) input. */
  learnSecrets(input: unknown): void {
    for (const [path, option] of Object.entries(this.#given.options)) {
      if (!option?.secret) continue;
      let value = input;
      for (const key of path.split('.')) value = (value as Record<string, unknown> | null | undefined)?.[key];
      if (typeof value === 'string') this.redactor.learn(value);
    }
  }

  /** Starts service and admin listener; whatever fails, nothing stays open. */
  async start(config: z.output<Schema>): Promise<{ service: RunningService; adminPort: number }> {
    const { definition, announce } = this.#given;
    const { name, version, revision } = definition;
    const logger = createLogger({ name, level: config.logLevel, redactor: this.redactor });
    const metrics = new Registry();
    const service = await this.#start(config, {
      logger,
      metrics,
      version,
      revision,
      standalone: announce !== undefined,
      stopping: this.stop.signal,
      announce: announce ?? ((text) => logger.info({ fact: text }, 'start-up')),
      emit: this.#given.emit ?? (() => {}),
      learnSecret: (secret) => this.redactor.learn(secret),
    });
    this.stop.onStop(service);

    let admin: AdminListener;
    try {
      admin = await openAdminListener({
        address: config.adminAddress,
        port: config.adminPort,
        metrics,
        version: { name, version, revision },
        health: () => service.health?.() ?? {},
        isReady: () => !this.stop.signal.aborted && (service.isReady?.() ?? true),
      });
    } catch (error) {
      await service.destroy();
      throw error;
    }
    return { service, adminPort: admin.port };
  }

  #reportFatal(error: unknown): void {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    standardError.write(`${this.redactor.redact(`${this.#given.definition.name}: fatal: ${text}`)}\n`);
  }
}
