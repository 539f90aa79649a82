import { posix } from 'node:path';
import { entryPointOf, type ImageCommand } from '../../containers/image-command.ts';

/** Programs that read from their terminal, and do nothing else, when they get no argument. */
const prompts = new Set(
  'ash bash csh dash fish ksh sh tcsh zsh erl ghci iex irb jshell julia node python python2 python3 R'.split(
    ' ',
  ),
);
/** Options with which they still do. */
const harmless = new Set(['-i', '-l', '-il', '-li', '--login', '--interactive']);

/**
 * The image's own command, if all that it does is to wait for input. The terminal of a task has nobody to
 * type, so such a task would wait for its maxRunTime.
 */
export function waitingCommand(image: ImageCommand): string | undefined {
  const command = [...entryPointOf(image), ...(image.Cmd ?? [])];
  // `CMD bash` is this shell with that command.
  const [program = '', ...args] = /^(\/bin\/)?sh -c [^ ]+$/.test(command.join(' '))
    ? command.slice(2)
    : command;
  return prompts.has(posix.basename(program)) && args.every((arg) => harmless.has(arg))
    ? command.join(' ')
    : undefined;
}
