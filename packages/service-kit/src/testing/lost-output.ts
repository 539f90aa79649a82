import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { expect, test } from '@jest/globals';
import { controlLine } from '../control/control.ts';
import { exchange } from './hostile-sockets.ts';

export interface LostOutputOptions {
  /** The service's main file. */
  main: string;
  /** What it needs to run, and the configuration for it. */
  prepare(): Promise<AsyncDisposable & { config: object }>;
  /** Of a GET that it answers, and that it logs if it logs requests at all. */
  path: string;
}

/** More than the buffers of two streams hold, in lines of the log. */
const requests = 2_500;

/** Of a process that waits, and of one that tries to write again and again. */
const idleCpuMs = 150;

/** The tests of a service whose output nobody reads any more; the same for each of them, with a real process. */
export function testLostOutput({ main, prepare, path }: LostOutputOptions): void {
  test.each([
    ['closed', 'SIGTERM'],
    ['not read', 'the end of its input'],
  ])('with its output %s it goes on, and %s ends it', async (loss, ending) => {
    await using prepared = await prepare();
    const child = spawn(process.execPath, ['--no-warnings', main, '--control', 'stdin'], {
      env: { PATH: process.env.PATH ?? '' },
    });
    const exited = once(child, 'exit');
    await using _ = { [Symbol.asyncDispose]: async () => void child.kill('SIGKILL') };
    const port = await readyPort(child, { logLevel: 'trace', port: 0, adminPort: 0, ...prepared.config });

    for (const stream of [child.stdout, child.stderr])
      if (loss === 'closed') stream.destroy();
      else stream.removeAllListeners().pause();
    child.stdin.on('error', () => {});
    child.stdin.write(controlLine({ type: 'credentials', credentials: { clientId: 'c', accessToken: 'a' } }));
    const answers = await exchange(port, `GET ${path} HTTP/1.1\r\nHost: service\r\n\r\n`.repeat(requests));

    expect(answers.match(/HTTP\/1\.1 \d/g)).toHaveLength(requests);
    const before = cpuMs(child);
    await new Promise((resolve) => setTimeout(resolve, 2 * idleCpuMs));
    expect(cpuMs(child) - before).toBeLessThan(idleCpuMs);

    if (ending === 'SIGTERM') child.kill('SIGTERM');
    else child.stdin.end();

    expect(await exited).toEqual([0, null]);
  });
}

async function readyPort(child: ChildProcessWithoutNullStreams, config: object): Promise<number> {
  child.stderr.resume();
  child.stdin.write(controlLine({ type: 'configure', config }));
  for await (const line of createInterface(child.stdout)) {
    const { port, message } = JSON.parse(line) as { port?: number; message?: string };
    if (port === undefined) throw new Error(message);
    return port;
  }
  throw new Error('ended without a reply');
}

/** Time of the processor that a process has taken so far, in steps of 10 ms. */
function cpuMs({ pid }: ChildProcessWithoutNullStreams): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
