import type { ChildProcess } from 'node:child_process';

/** How much of what a daemon has printed is told when it ends. */
const lastCharacters = 2_000;

/** Settles when a `dockerd`, whose standard error is a pipe, listens. */
export async function engineListens(daemon: ChildProcess): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let printed = '';
  daemon.stderr?.setEncoding('utf8').on('data', (text: string) => {
    printed = `${printed}${text}`.slice(-lastCharacters);
    if (printed.includes('API listen on')) {
      resolve();
    }
  });
  daemon.once('exit', () => reject(new Error(`dockerd ended before it listened:\n${printed}`)));
  await promise;
}
