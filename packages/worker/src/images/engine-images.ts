import type Docker from 'dockerode';
import { z } from 'zod';
import type { KeptThing } from '../run/kept-thing.ts';

const Images = z.array(
  z.looseObject({ Id: z.string(), RepoTags: z.array(z.string()).nullish(), Size: z.number() }),
);

/** The images of an engine with their sizes, the largest first, and when tasks last used those that they fetched. */
export async function engineImages(docker: Docker, lastUses: Map<string, Date>): Promise<KeptThing[]> {
  const images = Images.parse(await docker.listImages());
  return images
    .map(({ Id, RepoTags, Size }): KeptThing => {
      const names = RepoTags ?? [];
      const lastUsed = names.map((name) => lastUses.get(name)).find((date) => date !== undefined);
      return { kind: 'image', name: names[0] ?? Id.slice(0, 19), bytes: Size, lastUsed };
    })
    .sort((one, other) => (other.bytes ?? 0) - (one.bytes ?? 0));
}
