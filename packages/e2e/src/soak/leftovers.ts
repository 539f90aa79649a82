import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { docker } from '../harness/host/host-contents.ts';
import { soakGroup, soakVariable } from './soaked-worker.ts';

/** What soaked workers have on the engine, by id: their containers and networks, as their labels tell. */
export async function onEngine(): Promise<Map<string, string>> {
  const filters = { label: ['docker-worker.worker'] };
  const [containers, networks] = await Promise.all([
    docker.listContainers({ all: true, filters }),
    docker.listNetworks({ filters }),
  ]);
  const isSoaked = ({ Labels = {} }: { Labels?: Record<string, string> }) =>
    Labels['docker-worker.worker']?.split('/').at(-2) === soakGroup;
  return new Map([
    ...containers
      .filter(isSoaked)
      .map(({ Id, Labels }) => [Id, `container of ${Labels['docker-worker.task-run']} ${Id}`] as const),
    ...networks.filter(isSoaked).map(({ Id, Name }) => [Id, `network ${Name}`] as const),
  ]);
}

/** Files below a worker's folder, but for its configuration. */
export async function filesLeft(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory() && entry.name !== 'config.json')
    .map((entry) => `file ${join(entry.parentPath, entry.name)}`);
}

/** Processes that soaked workers have started, and those that hold one of these containers. */
export async function processesLeft(containers: Iterable<string>): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const read = (pid: string, file: string) => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '');
  const ids = [...containers];
  const found = await Promise.all(
    pids.map(async (pid) => {
      const [command, environment] = await Promise.all([read(pid, 'cmdline'), read(pid, 'environ')]);
      const isOurs = environment.includes(`${soakVariable}=`) || ids.some((id) => command.includes(id));
      return isOurs ? [`process ${pid} ${command.replaceAll('\0', ' ')}`] : [];
    }),
  );
  return found.flat();
}
