const compressions = {
  '.tar': 'none',
  '.tar.gz': 'gzip',
  '.tgz': 'gzip',
  '.tar.zst': 'zstd',
  '.tar.lz4': 'lz4',
} as const;

export type Compression = (typeof compressions)[keyof typeof compressions];

/** How an image artifact is compressed, by its name; `undefined` for a name that says nothing known. */
export function compressionOf(path: string): Compression | undefined {
  return Object.entries(compressions).find(([end]) => path.endsWith(end))?.[1];
}

export const knownEndings = Object.keys(compressions).join(', ');

/** Whether anybody may read an artifact of that name. */
export function isPublic(path: string): boolean {
  return /^\/?public\//.test(path);
}
