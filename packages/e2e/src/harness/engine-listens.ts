import type { ChildProcess } from 'node:child_process';

/** How much of what a daemon has printed is told when it ends. */
const lastCharacters = 2_000;

/** Settles when an engine, whose standard error is a pipe, listens. */
export async function engineListens(daemon: ChildProcess): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let printed = '';
  daemon.stderr?.setEncoding('utf8').on('data', (text: string) => {
    printed = `${printed}${text}`.slice(-lastCharacters);
    if (/API (service listening|listen) on/.test(printed)) {
      resolve();
    }
  });
  daemon.once('exit', () => reject(new Error(`the engine ended before it listened:\n${printed}`)));
  await promise;
}
