/** The parts of an image's configuration that say what its containers run. */
export interface ImageCommand {
  Entrypoint?: string | string[] | null;
  Cmd?: string[] | null;
}

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

/** Engines take one empty word for no entry point. */
export function entryPointOf({ Entrypoint }: ImageCommand): string[] {
  const words = [Entrypoint ?? []].flat();
  return words.length === 1 && words[0] === '' ? [] : words;
}
