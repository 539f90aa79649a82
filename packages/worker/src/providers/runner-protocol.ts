import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { z } from 'zod';
import type { Alert } from './alerts.ts';

/** What this worker can take part in, whether or not the runner can. */
const ownCapabilities = ['graceful-termination', 'shutdown', 'new-credentials', 'error-report'];

const Message = z.looseObject({ type: z.string() });

const RunnerMessage = z.discriminatedUnion('type', [
  z.looseObject({ type: z.literal('welcome'), capabilities: z.array(z.string()) }),
  z.looseObject({ type: z.literal('graceful-termination'), 'finish-tasks': z.boolean().default(false) }),
  z
    .looseObject({
      type: z.literal('new-credentials'),
      'client-id': z.string().min(1),
      'access-token': z.string().min(1),
      certificate: z.string().optional(),
    })
    .transform(({ type, ...message }) => ({
      type,
      credentials: {
        clientId: message['client-id'],
        accessToken: message['access-token'],
        // Permanent credentials come with an empty one.
        ...(message.certificate ? { certificate: message.certificate } : {}),
      },
    })),
]);
export type RunnerMessage = z.infer<typeof RunnerMessage>;

/**
 * The protocol between start-worker and its worker: lines `~{json}` on standard input and output; any other
 * line is somebody's log and passed over.
 */
export class RunnerProtocol implements Disposable {
  readonly #output: Writable;
  readonly #lines: ReturnType<typeof createInterface>;
  #capabilities = new Set<string>();
  readonly #welcomed = Promise.withResolvers<boolean>();
  /** Settles when the runner has closed its side, as when it is gone. */
  readonly closed: Promise<void>;

  constructor(input: Readable, output: Writable) {
    this.#output = output;
    this.#lines = createInterface({ input, terminal: false });
    this.onMessage((message) => {
      if (message.type === 'welcome') {
        this.#capabilities = new Set(message.capabilities.filter((name) => ownCapabilities.includes(name)));
        this.#send({ type: 'hello', capabilities: ownCapabilities });
        this.#welcomed.resolve(true);
      }
    });
    this.closed = new Promise((resolve) => {
      this.#lines.once('close', () => {
        this.#welcomed.resolve(false);
        resolve();
      });
    });
  }

  onMessage(listener: (message: RunnerMessage) => void): void {
    this.#lines.on('line', (line) => {
      const message = runnerMessage(line);
      if (message !== undefined) {
        listener(message);
      }
    });
  }

  /** Asks for the end of the machine; false when the runner has no such power, or never said that it has. */
  async shutdown(): Promise<boolean> {
    const capable = (await this.#welcomed.promise) && this.#capabilities.has('shutdown');
    if (capable) {
      this.#send({ type: 'shutdown' });
    }
    return capable;
  }

  /** Passes an error on to worker-manager, when the runner can do that. */
  reportError({ title, description }: Alert): void {
    if (this.#capabilities.has('error-report')) {
      this.#send({ type: 'error-report', kind: 'worker-error', title, description, extra: {} });
    }
  }

  [Symbol.dispose](): void {
    this.#lines.close();
  }

  #send(message: z.infer<typeof Message>): void {
    this.#output.write(`~${JSON.stringify(message)}\n`);
  }
}

/** A message that this worker understands; the protocol wants all others ignored. */
function runnerMessage(line: string): RunnerMessage | undefined {
  if (!/^~\{.*\}$/.test(line)) {
    return undefined;
  }
  try {
    return RunnerMessage.safeParse(JSON.parse(line.slice(1))).data;
  } catch {
    return undefined;
  }
}
