import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { listening } from '@docker-worker/service-kit/testing/listening';
import { digest, type TinyImage } from './tiny-image.ts';

/** A Docker registry with one image, as the engine sees it; it fails on request. */
export interface Registry extends AsyncDisposable {
  /** `host:port` */
  address: string;
  /** Method and path of every request for a manifest or a blob. */
  requests: string[];
  /** Statuses of the next answers. */
  faults: number[];
  /** From now on no blob is answered. */
  holdBlobs(): void;
  /** Settles when a request is held; its value settles when the caller has hung up. */
  held: Promise<Promise<unknown>>;
}

const manifestType = 'application/vnd.docker.distribution.manifest.v2+json';

export async function startRegistry(
  repository: string,
  { config, layer }: TinyImage,
  login?: { username: string; password: string },
): Promise<Registry> {
  const descriptor = (mediaType: string, bytes: Buffer) => ({
    mediaType: `application/vnd.docker.${mediaType}`,
    size: bytes.length,
    digest: digest(bytes),
  });
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: manifestType,
      config: descriptor('container.image.v1+json', config),
      layers: [descriptor('image.rootfs.diff.tar.gzip', layer)],
    }),
  );
  const contents = new Map([
    [`/v2/${repository}/manifests/latest`, manifest],
    [`/v2/${repository}/manifests/${digest(manifest)}`, manifest],
    [`/v2/${repository}/blobs/${digest(config)}`, config],
    [`/v2/${repository}/blobs/${digest(layer)}`, layer],
  ]);
  const authorization =
    login && `Basic ${Buffer.from(`${login.username}:${login.password}`).toString('base64')}`;
  const requests: string[] = [];
  const faults: Registry['faults'] = [];
  const held = Promise.withResolvers<Promise<unknown>>();
  let holding = false;

  const server = createServer((request, response) => {
    if (authorization !== undefined && request.headers.authorization !== authorization) {
      response.setHeader('www-authenticate', 'Basic realm="registry"');
      refuse(response, 401, 'UNAUTHORIZED');
    } else if (request.url === '/v2/') {
      response.end('{}');
    } else {
      serve(request, response);
    }
  });
  const listens = await listening(server);
  return {
    ...listens,
    address: `127.0.0.1:${listens.port}`,
    requests,
    faults,
    held: held.promise,
    holdBlobs() {
      holding = true;
    },
  };

  function serve(request: IncomingMessage, response: ServerResponse): void {
    requests.push(`${request.method} ${request.url}`);
    if (holding && request.url?.includes('/blobs/')) {
      held.resolve(once(response, 'close'));
      return;
    }
    const fault = faults.shift();
    const content = contents.get(request.url ?? '');
    if (fault !== undefined || content === undefined) {
      refuse(response, fault ?? 404, fault === undefined ? 'MANIFEST_UNKNOWN' : 'UNKNOWN');
      return;
    }
    const isManifest = content === manifest;
    response.writeHead(200, {
      'content-type': isManifest ? manifestType : 'application/octet-stream',
      'content-length': content.length,
      'docker-content-digest': digest(content),
    });
    response.end(request.method === 'HEAD' ? undefined : content);
  }
}

function refuse(response: ServerResponse, status: number, code: string): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ errors: [{ code, message: code.toLowerCase().replace('_', ' ') }] }));
}
