import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { TestEngine } from './test-engine.ts';

/** What a command of Docker prints that is run on the engine's own machine; it reads a file of this one. */
export async function docker(engine: TestEngine, args: string[], input = '/dev/null'): Promise<string> {
  await using file = await open(input);
  const child = spawn(...engine.docker(args), { stdio: [file.fd, 'pipe', 'pipe'] });
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout as Readable),
    text(child.stderr as Readable),
    once(child, 'close'),
  ]);
  if (code !== 0) {
    throw new Error(`docker ${args.join(' ')} ended with ${code}:\n${stderr}`);
  }
  return stdout.trim();
}

/** All containers, networks, volumes and images of an engine, but the caches, which stay for the next task. */
export async function contents(engine: TestEngine): Promise<string[]> {
  const lists = [
    ['ps', '--all', '--quiet', '--no-trunc'],
    ['network', 'ls', '--quiet', '--no-trunc'],
    ['volume', 'ls', '--quiet'],
    ['images', '--all', '--no-trunc', '--format', '{{.Repository}}:{{.Tag}} {{.ID}}'],
  ];
  const printed = await Promise.all(lists.map((list) => docker(engine, list)));
  return printed
    .flatMap((lines, at) => lines.split('\n').map((line) => `${lists[at]?.[0]} ${line}`.trim()))
    .filter((line) => !/^volume( docker-worker-cache-.*)?$/.test(line))
    .sort();
}
