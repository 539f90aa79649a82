/** The terminal makes style elements of its own, which the page's policy lets through with its nonce only. */
export function allowTerminalStyles(): void {
  const nonce = document.querySelector<HTMLMetaElement>('meta[name=style-nonce]')?.content ?? '';
  const create = document.createElement.bind(document);
  document.createElement = ((name: string, options?: ElementCreationOptions) => {
    const made = create(name, options);
    if (made instanceof HTMLStyleElement) {
      made.nonce = nonce;
    }
    return made;
  }) as typeof document.createElement;
}
