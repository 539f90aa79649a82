const longestFileName = 255;

/** Why a cache cannot have that name; `undefined` when it can. */
export function whyInvalid(name: string): string | undefined {
  if (name.includes('::')) {
    return 'a cache name may not contain "::"';
  }
  if (name === '' || name.startsWith('.') || name.startsWith('-')) {
    return 'a cache name may not be empty, nor begin with "." or "-"';
  }
  if (name.includes('\0') || Buffer.byteLength(folderOf(name)) > longestFileName) {
    return `a cache name must be a file name of at most ${longestFileName} bytes`;
  }
  return undefined;
}

/** The folder of a cache: its name, but for what would end a file name or the host's part of a mount. */
export function folderOf(name: string): string {
  return name.replace(/[%/:]/g, encodeURIComponent);
}
