import type { Sidecar } from '@docker-worker/service-kit/sidecar';
import { expect, test } from '@jest/globals';
import Docker from 'dockerode';
import { z } from 'zod';
import { engineSocket } from '../engine/testing/engine-socket.ts';
import { ensureSidecarImage } from './ensure-sidecar-image.ts';

const sidecar: Sidecar = {
  ...{ name: 'tc-proxy', image: 'docker-worker/tc-proxy', version: '1.2.3', alias: 'taskcluster', port: 80 },
  config: z.unknown(),
};

/** What an engine that has no image is asked, and what that ends with. */
async function askedWithoutImage(registry?: string) {
  await using socket = await engineSocket((_request, response) => {
    response.writeHead(404, { 'content-type': 'application/json' });
    response.end('{"message":"no such image"}');
  });
  const docker = new Docker({ socketPath: socket.socketPath, version: 'v1.41' });
  const { signal } = new AbortController();
  const error = await ensureSidecarImage(docker, sidecar, { registry, digests: {} }, signal).catch(
    (reason) => reason,
  );
  return { error: String(error), pulls: socket.asked.filter((url) => url.startsWith('/images/create')) };
}

test('without a registry an image that is missing is told with how to get it, and never pulled', async () => {
  const { error, pulls } = await askedWithoutImage();

  expect(error).toMatch(
    /The sidecar tc-proxy .* could not be used: .*; load them with "docker-worker images load FILE"/,
  );
  expect(pulls).toEqual([]);
});

test('with a registry it is pulled from there', async () => {
  const { pulls } = await askedWithoutImage('registry.example.com/ci');

  expect(pulls).toHaveLength(1);
  expect(pulls[0]).toContain(encodeURIComponent('registry.example.com/ci/docker-worker/tc-proxy'));
});
