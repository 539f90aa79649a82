import { expect, test } from '@jest/globals';
import { artifactFolders } from './artifact-folders.ts';

test('artifacts of one task go right into the folder', () => {
  expect(artifactFolders('out', ['build'])).toEqual(['out']);
});

test('each of several tasks has a folder of its own, whatever they are called', () => {
  expect(
    artifactFolders('out', ['build', 'test/linux x64', 'Build', 'build-2', '..', '', '..hidden']),
  ).toEqual([
    'out/build',
    'out/test-linux-x64',
    'out/Build-2',
    'out/build-2-2',
    'out/task',
    'out/task-2',
    'out/hidden',
  ]);
});
