import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { releaseSession } from '@docker-worker/testdroid-proxy/release-session';
import { SessionEvents } from '@docker-worker/testdroid-proxy/sidecar';
import type { Logger } from 'pino';
import { z } from 'zod';
import type { WorkerConfig } from '../../config/config.ts';
import { isOrphanTag } from '../../containers/sweep.ts';
import type { Owner } from '../../ownership/labels.ts';
import { ownerTag } from '../../ownership/owner-tag.ts';
import { cloudAccess } from './cloud-access.ts';

const Entry = z.object({ sessionId: z.number(), expires: z.iso.datetime() });
type Entry = z.infer<typeof Entry>;

/** The sessions of one run, as its service tells of them. */
export interface RunSessions extends AsyncDisposable {
  /** Takes an event of the service; throws when it is none. */
  note(event: unknown): void;
}

/**
 * Sessions on phones that have begun and not ended, one file each, so that one which its service could not
 * end, or which a killed worker has left, is ended later. The service that opened it is the first to end it.
 */
export class PhoneSessions {
  readonly #config: WorkerConfig;
  readonly #worker: string;
  readonly #logger: Logger;
  readonly #folder: string;
  #open = 0;

  constructor(config: WorkerConfig, worker: string, logger: Logger) {
    this.#config = config;
    this.#worker = worker;
    this.#logger = logger;
    this.#folder = join(config.stateDirectory, 'phone-sessions');
  }

  /** How many this worker's runs have now. */
  get open(): number {
    return this.#open;
  }

  /** What is still there when it is disposed of is ended then, or at the next start of the worker. */
  ofRun(owner: Owner): RunSessions {
    const files = new Map<number, string>();
    return {
      note: (input) => {
        const event = SessionEvents.parse(input);
        const { sessionId } = event;
        if (event.event === 'session-opened') {
          const { expires } = event;
          files.set(sessionId, this.#write(`${ownerTag(owner)}.${sessionId}.json`, { sessionId, expires }));
          this.#open += 1;
        } else {
          this.#forget(files, sessionId);
        }
      },
      [Symbol.asyncDispose]: async () => {
        await Promise.all(
          [...files].map(async ([sessionId, file]) => {
            await this.#end({ sessionId }, file);
            this.#forget(files, sessionId, false);
          }),
        );
      },
    };
  }

  /** Ends the sessions that killed workers of this name have left. Never rejects. */
  async sweep(): Promise<void> {
    const names = await readdir(this.#folder).catch(() => []);
    const left = names.filter((name) => isOrphanTag(name, false, this.#worker));
    await Promise.all(
      left.map(async (name) => {
        const file = join(this.#folder, name);
        const entry = await readEntry(file);
        if (entry === undefined || new Date(entry.expires) < new Date()) {
          rmSync(file, { force: true });
        } else {
          await this.#end(entry, file);
        }
      }),
    );
  }

  /** Never rejects; the file stays when the cloud could not be told. */
  async #end({ sessionId }: Pick<Entry, 'sessionId'>, file: string): Promise<void> {
    try {
      const access = await cloudAccess(this.#config);
      if (access === undefined) {
        throw new Error('the configuration has no "testdroid"');
      }
      await releaseSession(access, sessionId);
      rmSync(file, { force: true });
      this.#logger.warn({ sessionId }, 'ended a session on a phone that was left behind');
    } catch (error) {
      this.#logger.error(
        { err: error, sessionId },
        '[alert-operator] a phone could not be given back; it is tried again when the worker starts',
      );
    }
  }

  /** On disk when it returns. */
  #write(name: string, entry: Entry): string {
    const file = join(this.#folder, name);
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    writeFileSync(file, JSON.stringify(entry), { flush: true });
    return file;
  }

  #forget(files: Map<number, string>, sessionId: number, remove = true): void {
    const file = files.get(sessionId);
    if (file === undefined) {
      return;
    }
    files.delete(sessionId);
    this.#open -= 1;
    if (remove) {
      rmSync(file, { force: true });
    }
  }
}

async function readEntry(file: string): Promise<Entry | undefined> {
  try {
    return Entry.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch {
    return undefined;
  }
}
