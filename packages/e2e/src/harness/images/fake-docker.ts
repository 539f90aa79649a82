import { execFile } from 'node:child_process';
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { delimiter, join, resolve } from 'node:path';
import { promisify } from 'node:util';

const repository = resolve(import.meta.dirname, '../../../../..');

/** What the command line of Docker is to answer: by the beginning of its arguments, or a refusal. */
export type FakeAnswers = Record<string, string | { refusal: string }>;

export interface PublishRun {
  /** What the person is told. */
  stderr: string;
  /** Every command that was run, `docker` and `cosign`; scratch folders are called `<scratch>`, those here as in the repository. */
  commands: string[];
  /** The files that were left, parsed, by their names. */
  files: Record<string, unknown>;
}

/**
 * `npm run images -- --push` with a command line of Docker that only writes down how it is called: no engine is asked for
 * anything. For a build that leaves a file with metadata it leaves `digest`; one that leaves files leaves a status of dpkg.
 */
export async function publishWithFakeDocker(
  folder: string,
  { answers, digest, argv }: { answers: FakeAnswers; digest: string; argv: readonly string[] },
): Promise<PublishRun> {
  const bin = join(folder, 'bin');
  const [log, out] = [join(folder, 'commands'), join(folder, 'published')];
  await mkdir(bin);
  await writeFile(join(folder, 'answers.json'), JSON.stringify({ answers, digest, log }));
  for (const program of ['docker', 'cosign']) {
    await writeFile(join(bin, program), `#!${process.execPath}\n${fakeProgram}`);
    await chmod(join(bin, program), 0o755);
  }
  const bake = [join(repository, 'docker/bake.ts'), '--push', ...argv, '--out', out];
  const { stderr } = await promisify(execFile)(process.execPath, ['--no-warnings', ...bake], {
    env: {
      ...process.env,
      PATH: `${bin}${delimiter}${process.env.PATH}`,
      SOURCE_DATE_EPOCH: '1700000000',
      COSIGN_KEY: 'a-key',
    },
  });
  const commands = (await readFile(log, 'utf8')).trim().split('\n');
  return {
    stderr,
    commands: commands.map((line) =>
      line.replaceAll(`${repository}/`, '').replaceAll(/\/[^\s=]+\/docker-worker-buildx-\w+/g, '<scratch>'),
    ),
    files: Object.fromEntries(
      await Promise.all(
        (await readdir(out)).map(async (name) => [name, JSON.parse(await readFile(join(out, name), 'utf8'))]),
      ),
    ),
  };
}

const fakeProgram = `
const { appendFileSync, mkdirSync, readFileSync, writeFileSync } = require('node:fs');
const { basename, dirname, join } = require('node:path');
const program = basename(process.argv[1]);
const argv = process.argv.slice(2);
const { answers, digest, log } = JSON.parse(readFileSync(join(dirname(process.argv[1]), '../answers.json'), 'utf8'));
const line = argv.join(' ');
appendFileSync(log, program + ' ' + line + '\\n');
const value = (name) => argv.find((one) => one.startsWith(name))?.slice(name.length);
const metadata = value('--metadata-file=');
if (metadata) writeFileSync(metadata, JSON.stringify({ 'containerimage.digest': digest }));
const dest = value('--output=type=local,dest=');
for (const platform of dest ? value('--platform=').split(',') : []) {
  const target = join(dest, platform.replace('/', '_'));
  mkdirSync(target, { recursive: true });
  const fields = ['Package: libc6', 'Status: install ok installed', 'Architecture: ' + platform.split('/')[1], 'Version: 2.36-9'];
  writeFileSync(join(target, 'status'), fields.join('\\n') + '\\n');
}
const [, answer = ''] = Object.entries(answers).find(([begin]) => line.startsWith(begin)) ?? [];
if (typeof answer === 'string') process.stdout.write(answer);
else {
  process.stderr.write(answer.refusal + '\\n');
  process.exitCode = 1;
}
`;
