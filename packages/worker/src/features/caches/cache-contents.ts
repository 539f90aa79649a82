import type { InstanceRecord } from './instance-records.ts';

/** Where the instances of caches have what tasks leave in them. */
export interface CacheContents {
  /** As the engine mounts it: a path of the host, or the name of a volume. */
  source(record: InstanceRecord): string;
  /** Makes an empty one, unless it is there. */
  make(record: InstanceRecord): Promise<void>;
  /** Whether the engine gives a new one the owner and the mode of the folder of the image that it covers. */
  readonly likeImage: boolean;
  remove(record: InstanceRecord): Promise<void>;
  /** All there are, those included of which nobody knows anything. */
  list(): Promise<FoundContent[]>;
}

export interface FoundContent {
  /** Of its instance. */
  id: string;
  remove(): Promise<void>;
}
