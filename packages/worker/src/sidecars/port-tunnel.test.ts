import { connect, createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { freePort } from '@docker-worker/service-kit/testing/free-port';
import { listening } from '@docker-worker/service-kit/testing/listening';
import { expect, test } from '@jest/globals';
import { processEngine } from '../taskcluster-access/testing/process-engine.ts';
import { openPortTunnel } from './port-tunnel.ts';

test('each connection to the port is one to the port in the container', async () => {
  await using engine = await processEngine();
  await using service = await listening(
    createServer({ allowHalfOpen: true }, (socket) => {
      void text(socket).then((heard) => socket.end(`heard ${heard}`));
    }),
  );
  const container = engine.engine.docker.getContainer('container');
  await using tunnel = await openPortTunnel(container, service.port, { address: '127.0.0.1' });

  const answers = ['one', 'two'].map((word) => {
    const socket = connect({ port: tunnel.port, host: '127.0.0.1', allowHalfOpen: true });
    socket.end(word);
    return text(socket);
  });

  expect(await Promise.all(answers)).toEqual(['heard one', 'heard two']);
});

test('of the ports it may have it takes the first that is free', async () => {
  await using engine = await processEngine();
  const first = await freePort();
  await using _taken = await listening(createServer(), { host: '127.0.0.1', port: first });
  const container = engine.engine.docker.getContainer('container');

  await using tunnel = await openPortTunnel(container, 80, {
    ...{ address: '127.0.0.1', ports: `${first}-${first + 50}` },
  });

  expect(tunnel.port).toBeGreaterThan(first);
  const none = openPortTunnel(container, 80, { address: '127.0.0.1', ports: `${first}-${first}` });
  await expect(none).rejects.toThrow('EADDRINUSE');
});
