import { writeSync } from 'node:fs';
import { Socket } from 'node:net';

/** Most bytes that are kept for a reader who does not read. */
const mostUnreadBytes = 1024 * 1024;

/**
 * Text for a standard stream of this process, written as far as somebody takes it. A reader that is gone, one that
 * does not read and a full disk cost text and nothing else: `write` never throws and never waits. Once there is room
 * again a line says how much was lost.
 */
export class BestEffortStream {
  readonly #name: 'stdout' | 'stderr';
  readonly #lostLine: (count: number) => string;
  /** Of a pipe, a socket or a terminal. */
  #stream: Socket | undefined;
  #isGone = false;
  #lost = 0;

  /** @param lostLine says that so many pieces of text are missing; default: a sentence */
  constructor(name: 'stdout' | 'stderr', lostLine = sentence) {
    this.#name = name;
    this.#lostLine = lostLine;
  }

  write(text: string): void {
    if (this.#isGone) return;
    const said = this.#lost > 0 ? `${this.#lostLine(this.#lost)}${text}` : text;
    if (this.#put(said)) this.#lost = 0;
    else this.#lost += 1;
  }

  /** Resolves when all has been taken or cannot be; how long that takes is the reader's choice. */
  async flushed(): Promise<void> {
    const stream = this.#stream;
    if (stream === undefined || this.#isGone || stream.writableLength === 0) return;
    await new Promise<void>((resolve) => {
      stream.write('', () => resolve());
    });
  }

  /** False when there is no room. */
  #put(text: string): boolean {
    const stream = this.#stream ?? process[this.#name];
    if (!(stream instanceof Socket)) return putInFile(process[this.#name].fd, text);
    if (this.#stream === undefined) {
      this.#stream = stream;
      stream.on('error', () => {
        this.#isGone = true;
      });
    }
    if (stream.writableLength > mostUnreadBytes) return false;
    stream.write(text);
    return true;
  }
}

/** At once; the disk may be full, and have room again later. */
function putInFile(fd: number, text: string): boolean {
  try {
    writeSync(fd, text);
    return true;
  } catch {
    return false;
  }
}

function sentence(count: number): string {
  return `${count} lines before this one were lost: nobody read them, or there was no room\n`;
}

export const standardOutput = new BestEffortStream('stdout');
export const standardError = new BestEffortStream('stderr');

/** For the end of a process: gives readers of both streams that long (milliseconds) to take what was written. */
export async function flushStandardStreams(ms = 500): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([Promise.all([standardOutput.flushed(), standardError.flushed()]), late]);
  clearTimeout(timer);
}
