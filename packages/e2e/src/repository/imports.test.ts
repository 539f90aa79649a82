import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { importProblems } from '../../../../checks/imports.ts';

let root: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'house-'));
  await write('package.json', { name: 'house', devDependencies: { 'test-runner': '1' } });
  await write('packages/worker/package.json', {
    name: '@docker-worker/worker',
    dependencies: { zod: '4', unused: '1', '@docker-worker/tc-proxy': '*' },
    devDependencies: { '@types/ws': '8' },
  });
});

afterAll(() => rm(root, { recursive: true }));

test('what breaks the rules of the house is named, and nothing else', async () => {
  await write('packages/worker/src/run/run.ts', [
    `import { z } from 'zod';`,
    `import { readFile } from 'node:fs/promises';`,
    `import type { Engine } from '../engine/engine.ts';`,
    `import { tcProxy } from '@docker-worker/tc-proxy/sidecar';`,
    `export { Exchange } from '@docker-worker/tc-proxy/exchange';`,
    `import {`,
    `  pino,`,
    `} from 'pino';`,
  ]);
  await write('packages/worker/src/engine/engine.ts', [`import { log } from '../log/log.ts';`]);
  await write('packages/worker/src/log/log.ts', [`const run = await import('../run/run.ts');`]);
  await write('packages/worker/src/log/log.test.ts', [
    `import { test } from 'test-runner';`,
    `import WebSocket from 'ws';`,
    `import { engine } from '../engine/engine.ts';`,
  ]);

  expect(importProblems(root)).toEqual([
    'packages/worker: src/run/run.ts may not import @docker-worker/tc-proxy/exchange',
    'packages/worker: src/log/log.test.ts imports ws, which package.json does not declare',
    'packages/worker: src/run/run.ts imports pino, which package.json does not declare',
    'packages/worker: package.json declares unused, which nothing imports',
    'packages/worker: engine and log import each other in a circle: src/engine/engine.ts → ../log/log.ts',
    'packages/worker: log and run import each other in a circle: src/log/log.ts → ../run/run.ts',
    'packages/worker: run and engine import each other in a circle: src/run/run.ts → ../engine/engine.ts',
  ]);
});

async function write(path: string, content: string[] | object): Promise<void> {
  const file = join(root, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, Array.isArray(content) ? content.join('\n') : JSON.stringify(content));
}
