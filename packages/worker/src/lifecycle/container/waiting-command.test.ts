import { expect, test } from '@jest/globals';
import { waitingCommand } from './waiting-command.ts';

test.each([
  [{ Cmd: ['bash'] }, 'bash'],
  [{ Cmd: ['/bin/bash', '-l'] }, '/bin/bash -l'],
  [{ Cmd: ['/bin/sh', '-c', '/bin/bash'] }, '/bin/sh -c /bin/bash'],
  [{ Entrypoint: ['/bin/zsh'], Cmd: null }, '/bin/zsh'],
  [{ Entrypoint: 'sh', Cmd: [] }, 'sh'],
  [{ Entrypoint: null, Cmd: ['python3'] }, 'python3'],
])('%j only waits for input', (image, command) => {
  expect(waitingCommand(image)).toBe(command);
});

test.each([
  { Cmd: ['bash', '-c', 'make'] },
  { Cmd: ['bash', 'build.sh'] },
  { Cmd: ['/bin/sh', '-c', 'make test'] },
  { Cmd: ['/bin/sh', '-c', 'bash build.sh'] },
  { Cmd: ['python3', '-m', 'http.server'] },
  { Entrypoint: ['/start.sh'], Cmd: ['bash'] },
  { Cmd: ['make'] },
  {},
])('%j may do something', (image) => {
  expect(waitingCommand(image)).toBeUndefined();
});
