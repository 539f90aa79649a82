import { z } from 'zod';
import { InvalidArchive } from './invalid-archive.ts';
import { chosenImage, type Descriptor, Index, type OciLayout, type Platform } from './oci-layout.ts';

const Manifest = z.array(z.looseObject({ Config: z.string() }));
const Repositories = z.record(z.string(), z.record(z.string(), z.string()));

/** `manifest.json` with that reference as the image's only tag. */
export function retaggedManifest(document: Buffer, reference: string): string {
  const images = parse('manifest.json', document, Manifest);
  mustBeOne(images.length);
  return JSON.stringify(images.map((image) => ({ ...image, RepoTags: [reference] })));
}

const nameAnnotations = ['io.containerd.image.name', 'org.opencontainers.image.ref.name'] as const;

/** `index.json` of an OCI layout with that reference as the only name of its image, and of nothing beside it. */
export function retaggedIndex(document: Buffer, reference: string, platform: Platform): string {
  const index = parse('index.json', document, Index);
  const image = chosenImage(index.manifests, platform);
  const others = index.manifests.filter(({ digest }) => digest !== image.digest);
  return JSON.stringify({ ...index, manifests: [named(image, reference), ...others.map(withoutName)] });
}

function named(image: Descriptor, reference: string): Descriptor {
  const values = [`docker.io/library/${reference}`, reference.slice(reference.lastIndexOf(':') + 1)];
  const names = Object.fromEntries(nameAnnotations.map((key, index) => [key, values[index] ?? '']));
  return { ...image, annotations: { ...image.annotations, ...names } };
}

function withoutName(entry: Descriptor): Descriptor {
  const annotations = Object.entries(entry.annotations ?? {}).filter(
    ([key]) => !nameAnnotations.some((name) => name === key),
  );
  return annotations.length === 0 ? entry : { ...entry, annotations: Object.fromEntries(annotations) };
}

/** The `manifest.json` that an OCI layout lacks, without which only engines with containerd's image store load it. */
export function manifestOfLayout(
  index: Buffer,
  layout: OciLayout,
  platform: Platform,
): { manifest: Buffer; hasZstd: boolean } {
  const image = chosenImage(parse('index.json', index, Index).manifests, platform);
  const { config, layers, hasZstd } = layout.imageOf(image, platform);
  return { manifest: Buffer.from(JSON.stringify([{ Config: config, Layers: layers }])), hasZstd };
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
