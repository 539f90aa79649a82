import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { type RunnerMessage, RunnerProtocol } from './runner-protocol.ts';

function connect() {
  const input = new PassThrough();
  const output = new PassThrough();
  const messages: RunnerMessage[] = [];
  const protocol = new RunnerProtocol(input, output);
  protocol.onMessage((message) => messages.push(message));
  return { input, output, messages, protocol };
}

async function said(output: PassThrough): Promise<string> {
  if (output.readableLength === 0) {
    await once(output, 'readable');
  }
  return String(output.read());
}

test('a welcome is answered with everything that this worker can', async () => {
  const { input, output } = connect();

  input.write('~{"type":"welcome","capabilities":["log"]}\n');

  expect(await said(output)).toBe(
    '~{"type":"hello","capabilities":["graceful-termination","shutdown","new-credentials","error-report"]}\n',
  );
});

test.each([
  'a line of a log',
  '{"type":"welcome","capabilities":[]}',
  '~{"type":"welcome","capabilities":[]',
  '~{not json}',
  '~{"capabilities":[]}',
  '~{"type":"unheard-of"}',
  '~{"type":"new-credentials","client-id":"c"}',
  ' ~{"type":"welcome","capabilities":[]}',
])('the line %s is passed over', async (line) => {
  const { input, messages } = connect();

  input.write(`${line}\n~{"type":"graceful-termination","finish-tasks":true}\n`);
  await setImmediate();

  expect(messages).toEqual([{ type: 'graceful-termination', 'finish-tasks': true }]);
});

test('new credentials are taken with a certificate only if they have one', async () => {
  const { input, messages } = connect();
  const credentials = '"type":"new-credentials","client-id":"c","access-token":"t"';

  input.write(
    `~{${credentials},"certificate":"{}"}\n~{${credentials},"certificate":""}\n~{${credentials}}\n`,
  );
  await setImmediate();

  expect(messages).toEqual([
    { type: 'new-credentials', credentials: { clientId: 'c', accessToken: 't', certificate: '{}' } },
    { type: 'new-credentials', credentials: { clientId: 'c', accessToken: 't' } },
    { type: 'new-credentials', credentials: { clientId: 'c', accessToken: 't' } },
  ]);
});

test('a runner that can is asked to shut the machine down, once it has said so', async () => {
  const { input, output, protocol } = connect();

  const asked = protocol.shutdown();
  await setImmediate();
  expect(output.read()).toBeNull();
  input.write('~{"type":"welcome","capabilities":["shutdown"]}\n');

  expect(await asked).toBe(true);
  expect(await said(output)).toMatch(/^~\{"type":"hello".*\}\n~\{"type":"shutdown"\}\n$/);
});

test('a runner that cannot, or that is gone, is not asked', async () => {
  const unable = connect();
  unable.input.write('~{"type":"welcome","capabilities":["graceful-termination"]}\n');
  const gone = connect();
  gone.input.end();

  expect(await unable.protocol.shutdown()).toBe(false);
  expect(await gone.protocol.shutdown()).toBe(false);
});

test('an error is reported by a runner that can, and by no other', async () => {
  const { input, output, protocol } = connect();
  protocol.reportError({ title: 'too soon', description: '' });
  input.write('~{"type":"welcome","capabilities":["error-report"]}\n');
  await said(output);

  protocol.reportError({ title: 'docker engine lost', description: 'it went away' });

  expect(JSON.parse((await said(output)).slice(1))).toEqual({
    ...{ type: 'error-report', kind: 'worker-error', extra: {} },
    ...{ title: 'docker engine lost', description: 'it went away' },
  });
});
