import { expect, test } from '@jest/globals';
import { EngineApi } from './engine-api.ts';
import { ensureImage } from './ensure-image.ts';
import { engineSocket } from './testing/engine-socket.ts';

test.each([
  [
    'tls: failed to verify certificate: x509: certificate signed by unknown authority',
    'the certificate of the registry is not one that this engine trusts',
  ],
  [
    'filesystem layer verification failed for digest sha256:0',
    'what the registry sent is not what its digest says',
  ],
  [
    "error parsing HTTP 200 response body: invalid character '<' looking for beginning of value",
    'something that is no registry answered, with a page',
  ],
])('%s is final, and said in words', async (said, words) => {
  await using engine = await engineSocket((request, response) => {
    const isPull = request.method === 'POST';
    response.writeHead(isPull ? 500 : 404, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ message: isPull ? said : 'No such image' }));
  });
  const docker = new EngineApi({ socketPath: engine.socketPath });

  const failed = ensureImage(docker, 'registry.example.com/a:1', {
    backOff: { maxAttempts: 5, delayFactor: 60_000, randomizationFactor: 0 },
  });

  await expect(failed).rejects.toThrow(words);
  await expect(failed).rejects.not.toThrow('HTTP code');
  expect(engine.asked.filter((url) => url.includes('/images/create'))).toHaveLength(1);
});
