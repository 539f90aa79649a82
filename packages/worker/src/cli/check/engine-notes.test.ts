import { tmpdir } from 'node:os';
import { expect, test } from '@jest/globals';
import Docker from 'dockerode';
import { capabilitiesForTest } from '../../engine/testing/capabilities.ts';
import { engineNotes } from './engine-notes.ts';

test('it is told what the engine is, and whether it mounts folders of this host', async () => {
  expect(await engineNotes({ docker: new Docker(), capabilities: capabilitiesForTest() }, tmpdir())).toEqual([
    'note: Docker Engine 20.10.24, spoken to in version 1.41 of its API',
    `note: it sees ${tmpdir()}, and mounts folders of this host into containers`,
  ]);
});

test('it is told which limits do not hold', async () => {
  const limits = { memory: true, cpu: false, cpuset: false, pids: true };
  const engine = { docker: new Docker(), capabilities: capabilitiesForTest({ rootless: true, limits }) };

  expect(await engineNotes(engine, tmpdir())).toEqual([
    'note: Docker Engine 20.10.24, rootless, spoken to in version 1.41 of its API',
    expect.stringContaining('it sees'),
    'warning: it cannot limit what a container takes of cpu, cpuset: such limits do not hold',
  ]);
});
