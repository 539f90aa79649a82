import { execFile } from 'node:child_process';
import { globSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { makeTempDir } from '../harness/temp-dir.ts';

const run = promisify(execFile);
const repository = join(import.meta.dirname, '../../../..');

test.each(['amazon-ebs.worker', 'googlecompute.worker'])(
  'packer accepts the template for %s',
  async (builder) => {
    await using folder = await makeTempDir();
    const stage = join(folder.path, 'stage');
    await mkdir(stage);
    const variables = { stage, version: '1', google_project: 'project', aws_region: 'eu-west-1' };
    const argv = Object.entries(variables).map(([name, value]) => `-var=${name}=${value}`);

    // In a network namespace without any network: builders like to ask metadata services for credentials.
    const { stderr } = await run(
      'unshare',
      ['--net', 'packer', 'validate', `-only=${builder}`, ...argv, 'deploy/packer/docker-worker.pkr.hcl'],
      {
        cwd: repository,
        env: {
          ...process.env,
          AWS_ACCESS_KEY_ID: 'none',
          AWS_SECRET_ACCESS_KEY: 'none',
          CHECKPOINT_DISABLE: '1',
        },
      },
    );

    expect(stderr).toBe('');
  },
);

test('the scripts of the machine are scripts', async () => {
  const scripts = globSync('deploy/{provision.sh,files/usr/local/lib/docker-worker/*}', { cwd: repository });
  expect(scripts).toHaveLength(2);
  await run('shellcheck', scripts, { cwd: repository });
});
