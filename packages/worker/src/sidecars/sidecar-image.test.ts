import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { sidecarImage } from './sidecar-image.ts';

const sidecar = {
  name: 'tc-proxy',
  image: 'docker-worker/tc-proxy',
  version: '1.2.3',
  alias: 'taskcluster',
  port: 80,
  config: z.object({}),
};

describe('the image of a sidecar', () => {
  test.each([
    [{ digests: {} }, 'docker-worker/tc-proxy:1.2.3'],
    [
      { registry: 'registry.example.com/ci', digests: {} },
      'registry.example.com/ci/docker-worker/tc-proxy:1.2.3',
    ],
    [
      { registry: 'registry.example.com/ci/', digests: {} },
      'registry.example.com/ci/docker-worker/tc-proxy:1.2.3',
    ],
    [
      { registry: 'registry.example.com/ci', digests: { 'tc-proxy': 'sha256:abc' } },
      'registry.example.com/ci/docker-worker/tc-proxy@sha256:abc',
    ],
    [{ digests: { 'vpn-proxy': 'sha256:abc' } }, 'docker-worker/tc-proxy:1.2.3'],
  ])('with %j it is %s', (images, expected) => {
    expect(sidecarImage(sidecar, images)).toBe(expected);
  });
});
