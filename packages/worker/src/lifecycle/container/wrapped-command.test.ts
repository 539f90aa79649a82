import { expect, test } from '@jest/globals';
import { wrappedCommand } from './wrapped-command.ts';

const wrapper = ['/wrap', '--'];

test.each([
  ["the task's command", ['a', 'b'], { Cmd: ['image'] }, ['a', 'b']],
  ["the image's command", [], { Cmd: ['image', 'c'] }, ['image', 'c']],
  [
    "the image's entry point with the task's command",
    ['a'],
    { Entrypoint: ['e', '-x'], Cmd: ['image'] },
    ['e', '-x', 'a'],
  ],
  ["the image's entry point with its command", [], { Entrypoint: ['e'], Cmd: ['image'] }, ['e', 'image']],
  ["the image's entry point alone", [], { Entrypoint: ['e'], Cmd: null }, ['e']],
  ['no entry point, as engines write it,', ['a'], { Entrypoint: [''], Cmd: ['image'] }, ['a']],
  ['an entry point that is one text', ['a'], { Entrypoint: 'e', Cmd: null }, ['e', 'a']],
])('%s is run by the wrapper', (_, command, image, wrapped) => {
  expect(wrappedCommand(wrapper, command, image)).toEqual({ Entrypoint: wrapper, Cmd: wrapped });
});

test("nothing to run is told in the engine's words", () => {
  expect(() => wrappedCommand(wrapper, [], { Entrypoint: null, Cmd: [] })).toThrow('No command specified');
});
