import { spawnSync } from 'node:child_process';
import type { EngineKind } from './all-engines.ts';
import type { TestEngine } from './test-engine.ts';

/** An engine, or nothing and the reason printed where this machine cannot have it, unless this run is for its sake. */
export async function startOrSkip(name: string, kind: EngineKind): Promise<TestEngine | undefined> {
  const isRequired = process.env.DOCKER_WORKER_ENGINES === 'required';
  try {
    if (kind.onDemand !== undefined && !isRequired) {
      throw new Error(kind.onDemand);
    }
    const missing = kind.needs.filter((program) => !isInstalled(program));
    if (missing.length > 0) {
      throw new Error(`this machine lacks ${missing.join(', ')}`);
    }
    return await kind.start();
  } catch (error) {
    if (isRequired) throw error;
    process.stderr.write(`skipped: the engine ${name}: ${(error as Error).message}\n`);
    return undefined;
  }
}

/** netavark is no command, and lies where podman looks for it. */
function isInstalled(program: string): boolean {
  const path = `${process.env.PATH}:/usr/sbin:/sbin:/usr/lib/podman`;
  const { status } = spawnSync('sh', ['-c', `command -v ${program}`], {
    env: { ...process.env, PATH: path },
  });
  return status === 0;
}
