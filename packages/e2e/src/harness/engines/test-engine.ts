/** An engine of a test's own, and where its user is. */
export interface TestEngine extends AsyncDisposable {
  /** The worker's own command line, where its user is. */
  worker: readonly [program: string, args: string[]];
  /** What leads the worker to the engine. */
  env: Record<string, string>;
  /** Where a file is on this machine that the user calls by that path. */
  outside(path: string): string;
  /** The command line of Docker on the engine's own machine. */
  docker(args: readonly string[]): [program: string, args: string[]];
}
