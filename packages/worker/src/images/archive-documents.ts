import { z } from 'zod';

/** What was downloaded is no image, or none that this worker loads. */
export class InvalidArchive extends Error {
  constructor(reason: string) {
    super(`The image archive was refused: ${reason}`);
    this.name = 'InvalidArchive';
  }
}

const Manifest = z.array(z.looseObject({ Config: z.string() }));
const Index = z.looseObject({
  manifests: z.array(z.looseObject({ annotations: z.record(z.string(), z.string()).optional() })),
});
const Repositories = z.record(z.string(), z.record(z.string(), z.string()));

/** `manifest.json` with that reference as the image's only tag. */
export function retaggedManifest(document: Buffer, reference: string): string {
  const images = parse('manifest.json', document, Manifest);
  mustBeOne(images.length);
  return JSON.stringify(images.map((image) => ({ ...image, RepoTags: [reference] })));
}

/** `index.json` of an OCI layout; attestations stand beside the image and are not one. */
export function retaggedIndex(document: Buffer, reference: string): string {
  const index = parse('index.json', document, Index);
  const isAttestation = (annotations: Record<string, string> = {}) =>
    'vnd.docker.reference.type' in annotations;
  mustBeOne(index.manifests.filter(({ annotations }) => !isAttestation(annotations)).length);
  const manifests = index.manifests.map((manifest) =>
    isAttestation(manifest.annotations)
      ? manifest
      : {
          ...manifest,
          annotations: {
            ...manifest.annotations,
            'io.containerd.image.name': `docker.io/library/${reference}`,
            'org.opencontainers.image.ref.name': reference.slice(reference.lastIndexOf(':') + 1),
          },
        },
  );
  return JSON.stringify({ ...index, manifests });
}

/** `repositories` of the format before manifests. */
export function retaggedRepositories(document: Buffer, reference: string): string {
  const repositories = parse('repositories', document, Repositories);
  mustBeOne(Object.keys(repositories).length);
  const layers = new Set(Object.values(repositories).flatMap((tags) => Object.values(tags)));
  mustBeOne(layers.size);
  const [repository = '', tag = ''] = reference.split(':');
  return JSON.stringify({ [repository]: { [tag]: [...layers][0] } });
}

function parse<Schema extends z.ZodType>(name: string, document: Buffer, schema: Schema): z.output<Schema> {
  try {
    return schema.parse(JSON.parse(document.toString()));
  } catch {
    throw new InvalidArchive(`its ${name} is not what docker save writes`);
  }
}

function mustBeOne(images: number): void {
  if (images !== 1) {
    throw new InvalidArchive(`it must hold exactly one image, but has ${images}`);
  }
}
