import type { RequestListener } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { expect, test } from '@jest/globals';
import Docker from 'dockerode';
import { pack } from 'tar-stream';
import { engineSocket } from '../engine/testing/engine-socket.ts';
import { containerArchive } from './container-archive.ts';

test('an empty answer is no archive, and is asked for again', async () => {
  const whole = await twoFiles();
  await using standIn = await containerThatGives(Buffer.alloc(0), Buffer.alloc(0), whole);

  const archive = await containerArchive(standIn.container, '/out');

  expect((await buffer(archive)).equals(whole)).toBe(true);
  expect(standIn.asked).toHaveLength(3);
});

test('an archive that ends between two files, in an answer that is whole, is an error of its reader', async () => {
  const whole = await twoFiles();
  await using standIn = await containerThatGives(whole.subarray(0, 512 + fileSize));

  const archive = await containerArchive(standIn.container, '/out');

  await expect(buffer(archive)).rejects.toThrow('the engine has broken off the archive');
});

test('what the engine refuses is refused with its words, and not asked for again', async () => {
  await using standIn = await containerThatAnswers((_request, response) => {
    response.writeHead(404, { 'content-type': 'application/json' });
    response.end('{"message":"Could not find the file /out in container a"}');
  });

  const archive = containerArchive(standIn.container, '/out');

  await expect(archive).rejects.toThrow('Could not find the file /out');
  expect(standIn.asked).toHaveLength(1);
});

/** Its archives are these, one after the other. */
async function containerThatGives(...archives: Buffer[]) {
  return await containerThatAnswers((_request, response) => response.end(archives.shift()));
}

async function containerThatAnswers(answer: RequestListener) {
  const { socketPath, ...socket } = await engineSocket(answer);
  return { ...socket, container: new Docker({ socketPath }).getContainer('a') };
}

/** More than is read ahead of a reader; whole blocks of an archive. */
const fileSize = 1 << 20;

async function twoFiles(): Promise<Buffer> {
  const archive = pack();
  archive.entry({ name: 'a' }, Buffer.alloc(fileSize, 'x'));
  archive.entry({ name: 'b' }, Buffer.alloc(fileSize, 'x'));
  archive.finalize();
  return await buffer(archive);
}
