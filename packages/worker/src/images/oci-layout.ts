import { createHash } from 'node:crypto';
import { z } from 'zod';
import { InvalidArchive } from './invalid-archive.ts';

/** What an engine runs, in the words of the OCI: `linux` and `amd64`. */
export interface Platform {
  os: string;
  architecture: string;
}

const Descriptor = z.looseObject({
  mediaType: z.string().optional(),
  digest: z.string(),
  platform: z.looseObject({ os: z.string(), architecture: z.string() }).optional(),
  annotations: z.record(z.string(), z.string()).optional(),
});
export type Descriptor = z.infer<typeof Descriptor>;
export const Index = z.looseObject({ manifests: z.array(Descriptor) });
const ImageManifest = z.looseObject({ config: Descriptor, layers: z.array(Descriptor) });

/** Manifests and the lists of them are small; what is larger is no such document. */
const largestDocument = 1024 * 1024;
const mostBytes = 16 * largestDocument;

const imageConfigs = [
  'application/vnd.oci.image.config.v1+json',
  'application/vnd.docker.container.image.v1+json',
];

/** What passes by of an OCI layout, as far as it tells which of its files are the image. */
export class OciLayout {
  readonly #files = new Set<string>();
  readonly #documents = new Map<string, Buffer>();
  #bytes = 0;

  /** Whether the file may be one that is to be added with its content. */
  static mayBeDocument({ name, size = 0 }: { name: string; size?: number }): boolean {
    return name.startsWith('blobs/') && size <= largestDocument;
  }

  add(name: string, content?: Buffer): void {
    this.#files.add(name);
    if (content?.[0] === '{'.charCodeAt(0) && this.#bytes + content.length <= mostBytes) {
      this.#documents.set(name, content);
      this.#bytes += content.length;
    }
  }

  /**
   * The files of the image that an entry of `index.json` leads to: of several the one for the platform.
   *
   * @throws InvalidArchive
   */
  imageOf(entry: Descriptor, platform: Platform): { config: string; layers: string[]; hasZstd: boolean } {
    let document = this.#read(entry);
    // A list within a list is allowed by the specification; nobody writes more than two.
    for (let depth = 0; depth < 2 && Index.safeParse(document).success; depth++) {
      document = this.#read(chosenImage(Index.parse(document).manifests, platform));
    }
    const { success, data } = ImageManifest.safeParse(document);
    if (!success) {
      throw new InvalidArchive(`${entry.digest} in its index.json is no manifest of an image`);
    }
    const { config, layers } = data;
    if (config.mediaType !== undefined && !imageConfigs.includes(config.mediaType)) {
      throw new InvalidArchive(`it holds no container image, but what is described by ${config.mediaType}`);
    }
    if (layers.some(({ mediaType = '' }) => mediaType.endsWith('+encrypted'))) {
      throw new InvalidArchive('its layers are encrypted');
    }
    return {
      config: this.#present(config),
      layers: layers.map((layer) => this.#present(layer)),
      hasZstd: layers.some(({ mediaType = '' }) => mediaType.endsWith('zstd')),
    };
  }

  #read(descriptor: Descriptor): unknown {
    const name = this.#present(descriptor);
    const content = this.#documents.get(name);
    if (content !== undefined && digestOf(content, descriptor.digest) === descriptor.digest) {
      try {
        return JSON.parse(content.toString());
      } catch {}
    }
    throw new InvalidArchive(`its ${name} is not the document that its name is the digest of`);
  }

  #present({ digest }: Descriptor): string {
    const [, algorithm, hex] = /^(sha256|sha512):([0-9a-f]+)$/.exec(digest) ?? [];
    const name = `blobs/${algorithm}/${hex}`;
    if (algorithm === undefined || !this.#files.has(name)) {
      throw new InvalidArchive(`${JSON.stringify(digest)}, which its manifests name, is not in it`);
    }
    return name;
  }
}

/**
 * The one image among the entries of an index: attestations stand beside it, and images for other platforms.
 *
 * @throws InvalidArchive
 */
export function chosenImage(entries: Descriptor[], platform: Platform): Descriptor {
  const isImage = ({ annotations = {} }: Descriptor) => !('vnd.docker.reference.type' in annotations);
  // One image may be there under several names.
  const images = [...new Map(entries.filter(isImage).map((image) => [image.digest, image])).values()];
  const platforms = images.map((image) => platformText(image.platform));
  const fitting = images.filter((image) => platformText(image.platform) === platformText(platform));
  const [first] = images.length === 1 ? images : fitting;
  if (first !== undefined && (images.length === 1 || areVariants(fitting))) {
    return first;
  }
  throw new InvalidArchive(
    fitting.length > 0 || platforms.includes('') || images.length === 0
      ? `it must hold exactly one image, but has ${images.length}`
      : `its images are for ${platforms.join(', ')}, and none for ${platformText(platform)}, which this engine runs`,
  );
}

/** Of variants of one architecture any runs, and they are written with the most common one first. */
function areVariants(images: Descriptor[]): boolean {
  return new Set(images.map(({ platform }) => platform?.variant)).size === images.length;
}

function platformText(platform: Platform | undefined): string {
  return platform === undefined ? '' : `${platform.os}/${platform.architecture}`;
}

function digestOf(content: Buffer, like: string): string {
  const [algorithm = ''] = like.split(':');
  return `${algorithm}:${createHash(algorithm).update(content).digest('hex')}`;
}
