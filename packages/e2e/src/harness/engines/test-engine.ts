import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** An engine of a test's own, seen from where somebody uses it. */
export interface TestEngine extends AsyncDisposable {
  /** The command that runs a program where its user is. */
  command(program: string, args: readonly string[]): [program: string, args: string[]];
  /** What leads programs to it. */
  env: Record<string, string>;
  /** The worker's own command line, for {@link command}. */
  worker: readonly [node: string, main: string];
  /** Where a file that its user calls by that path is on this machine. */
  outside(path: string): string;
}

export async function docker(engine: TestEngine, ...args: string[]): Promise<string> {
  const env = { ...process.env, ...engine.env };
  return (await run(...engine.command('docker', args), { env, maxBuffer: 64 * 1024 * 1024 })).stdout.trim();
}
