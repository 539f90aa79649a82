import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { testLostOutput } from '../testing/lost-output.ts';

const testing = join(import.meta.dirname, '..', 'testing');
const streams = JSON.stringify(join(import.meta.dirname, 'standard-streams.ts'));

testLostOutput({
  main: join(testing, 'greeter.ts'),
  path: '/log',
  prepare: async () => ({
    config: { greeting: 'hello', credentials: { clientId: 'c', accessToken: 'the-token' } },
    async [Symbol.asyncDispose]() {},
  }),
});

/** Runs a script that has `out` and `err`, and writes a line to its channel when it is done. */
function run(body: string, wrapper = '') {
  const script = `
    const { standardOutput: out, standardError: err, flushStandardStreams } = await import(${streams});
    ${body}`;
  const node = [process.execPath, '--no-warnings', '--input-type=module', '-e', script];
  const [command = '', ...argv] = wrapper ? ['bash', '-c', wrapper, 'bash', ...node] : node;
  return spawn(command, argv, { stdio: 'pipe' });
}

const fill = `for (let line = 0; line < 100_000; line++) err.write(\`line \${line} \${'x'.repeat(50)}\\n\`);`;

test.each([
  ['a pipe that nobody reads', '"$@" 2> >(exec sleep 2 > /dev/null)'],
  ['a pipe whose reader is gone', '"$@" 2> >(exec true > /dev/null)'],
  ['a full disk', '"$@" 2> /dev/full'],
  ['a closed descriptor', '"$@" 2>&-'],
])('%s holds up nothing, and takes little memory', async (_, wrapper) => {
  const child = run(
    `${fill} out.write(\`\${process.memoryUsage().rss}\`); await flushStandardStreams(100); process.exit();`,
    wrapper,
  );

  const text = (await child.stdout.toArray()).join('');
  child.kill('SIGKILL');

  expect(Number(text)).toBeGreaterThan(0);
  expect(Number(text)).toBeLessThan(150 * 1024 * 1024);
});

test('who reads later gets what was kept, and is told how much was not', async () => {
  const child = run(
    `${fill} out.write('filled'); process.stdin.on('end', () => err.write('the last\\n')).resume();`,
  );
  await once(child.stdout, 'data');

  let text = '';
  child.stderr.on('data', (chunk) => {
    text += chunk;
    if (text.split('\n').length > 15_000) child.stdin.end();
  });
  await once(child, 'close');

  const lines = text.trim().split('\n');
  const kept = lines.filter((line) => line.startsWith('line ')).length;
  expect(lines[0]).toMatch(/^line 0 /);
  expect(lines.at(-2)).toBe(
    `${100_000 - kept} lines before this one were lost: nobody read them, or there was no room`,
  );
  expect(lines.at(-1)).toBe('the last');
});

test('at the end of the process a slow reader gets all that was written', async () => {
  const child = run(`err.write('x'.repeat(1_000_000)); await flushStandardStreams(10_000); process.exit();`);
  let length = 0;
  for await (const chunk of child.stderr) {
    length += chunk.length;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }

  expect(length).toBe(1_000_000);
});
