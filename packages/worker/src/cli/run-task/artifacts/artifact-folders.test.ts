import { expect, test } from '@jest/globals';
import { ArtifactFolders } from './artifact-folders.ts';

test('artifacts of one task go right into the folder', () => {
  expect(new ArtifactFolders('out').of('build', false)).toBe('out');
});

test('artifacts of tasks that it creates go beside them', () => {
  const folders = new ArtifactFolders('out');
  folders.of('decision', false);

  expect(folders.of('build', true)).toBe('out/build');
  expect(folders.of('public', true)).toBe('out/public-2');
});

test('each of several tasks has a folder of its own, whatever they are called', () => {
  const folders = new ArtifactFolders('out');
  const names = ['build', 'test/linux x64', 'Build', 'build-2', '..', '', '..hidden'];

  expect(names.map((name) => folders.of(name, true))).toEqual([
    'out/build',
    'out/test-linux-x64',
    'out/Build-2',
    'out/build-2-2',
    'out/task',
    'out/task-2',
    'out/hidden',
  ]);
});
