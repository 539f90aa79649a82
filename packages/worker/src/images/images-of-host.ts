import { join } from 'node:path';
import type { HostPart } from '../run/host-part.ts';
import { ImageStore } from './image-store.ts';

/** The images that tasks made this host fetch. */
export const imagesOfHost: HostPart<ImageStore> = {
  open: ({ config, engine, logger, metrics }) =>
    new ImageStore({
      ...{ docker: engine.docker, folder: join(config.stateDirectory, 'images'), logger },
      expirationMs: config.garbageCollection.imageExpiration,
      onRemoved: () => metrics?.removed.inc({ kind: 'image' }),
    }),
};
