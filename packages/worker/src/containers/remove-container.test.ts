import { expect, test } from '@jest/globals';
import { EngineApi, EngineTimeout } from '../engine/engine-api.ts';
import { engineSocket } from '../engine/testing/engine-socket.ts';
import { removeContainer } from './remove-container.ts';

test('a removal that somebody else has asked for and that does not end is waited for in vain for a time only', async () => {
  await using engine = await engineSocket(({ method }, response) => {
    if (method === 'DELETE') {
      const message = 'removal of container a is already in progress';
      response.writeHead(409, { 'content-type': 'application/json' }).end(JSON.stringify({ message }));
    }
  });
  const docker = new EngineApi({ socketPath: engine.socketPath });

  await expect(removeContainer(docker, 'a', { removalMs: 50 })).rejects.toThrow(EngineTimeout);
});
