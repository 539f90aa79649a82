import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { fileLimitAdvice } from './file-limit.ts';

test('a process that has reached its limit of open files is told what it is and how to raise it', async () => {
  const program = `
    import { openSync } from 'node:fs';
    import { fileLimitAdvice } from ${JSON.stringify(new URL('file-limit.ts', import.meta.url).href)};
    try { for (;;) openSync('/dev/null'); } catch (error) { console.log(fileLimitAdvice(error)); }`;

  const { stdout } = await promisify(execFile)('sh', [
    '-c',
    'ulimit -n 64 && exec "$0" --input-type=module --eval "$1"',
    process.execPath,
    program,
  ]);

  expect(stdout).toContain('this process may have 64 files and connections open: raise LimitNOFILE=');
});

test('the limits of the host and of the engine are told from it', () => {
  expect(fileLimitAdvice(Object.assign(new Error('a'), { code: 'ENFILE' }))).toContain('sysctl fs.file-max');
  expect(fileLimitAdvice(new Error('open /a: too many open files'))).toContain('docker.service');
  expect(fileLimitAdvice(new Error('a', { cause: { code: 'EMFILE' } }))).toContain('LimitNOFILE');
  expect(fileLimitAdvice(new Error('another'))).toBeUndefined();
  expect(fileLimitAdvice(undefined)).toBeUndefined();
});
