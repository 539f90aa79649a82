import { entryPointOf, type ImageCommand } from '../../containers/image-command.ts';

/**
 * What a container has to be created with so that the wrapper runs what it would have run itself: the
 * image's entry point with the task's command, or else the image's.
 *
 * @throws with the engine's words when there would have been nothing to run
 */
export function wrappedCommand(
  wrapper: readonly string[],
  command: readonly string[],
  image: ImageCommand,
): { Entrypoint: string[]; Cmd: string[] } {
  const entrypoint = entryPointOf(image);
  // Docker forgets the image's command for a container with an entry point of its own.
  const wrapped = [...entrypoint, ...(command.length > 0 ? command : (image.Cmd ?? []))];
  if (wrapped.length === 0) {
    throw new Error('No command specified');
  }
  return { Entrypoint: [...wrapper], Cmd: wrapped };
}
