/** The parts of an image's configuration that say what its containers run. */
export interface ImageCommand {
  Entrypoint?: string | string[] | null;
  Cmd?: string[] | null;
}

/** Engines take one empty word for no entry point. */
export function entryPointOf({ Entrypoint }: ImageCommand): string[] {
  const words = [Entrypoint ?? []].flat();
  return words.length === 1 && words[0] === '' ? [] : words;
}
