import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { openApi } from './open-api.ts';
import { undocumented } from './testing/as-documented.ts';
import { runService } from './testing/run-service.ts';
import { send } from './testing/send.ts';

const greeter = join(import.meta.dirname, 'testing', 'greeter.ts');
const credentials = { clientId: 'me', accessToken: 'no-secret' };

test('the admin listener answers every path of the document as it says', async () => {
  const document = openApi({ title: 'greeter', version: '1', description: 'Greets.', paths: {} });
  await using service = runService(greeter, ['--control', 'stdin']);
  service.send({ type: 'configure', config: { greeting: 'hello', credentials, adminPort: 0 } });
  const ready = await service.reply();
  if (ready.type !== 'ready') throw new Error(`expected ready, got ${JSON.stringify(ready)}`);

  const paths = Object.keys((document as { paths: object }).paths);
  const answers = await Promise.all(paths.map((path) => send(ready.adminPort, path)));

  expect(paths).toEqual(['/live', '/ready', '/health', '/metrics', '/version']);
  expect(answers.map(({ status }) => status)).toEqual(paths.map(() => 200));
  expect(answers.flatMap((answer, index) => undocumented(document, `GET ${paths[index]}`, answer))).toEqual(
    [],
  );
});
