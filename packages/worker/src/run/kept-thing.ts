/** Something that a worker keeps on its host for later tasks. */
export interface KeptThing {
  kind: 'image' | 'cache';
  name: string;
  bytes?: number;
  /** Whether there are more bytes, which nobody has counted. */
  hasMore?: boolean;
  lastUsed?: Date;
}
