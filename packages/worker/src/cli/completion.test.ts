import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { type Shell, shells } from './completion-shells.ts';

const run = promisify(execFile);
const main = join(import.meta.dirname, '../main.ts');

/** Prints what the shell makes of `$2` when the script `$1` is loaded; each ends its output in its own way. */
const completed: Record<Shell, string> = {
  bash: `source "$1"; eval "COMP_WORDS=($2)"; [[ $2 == *' ' ]] && COMP_WORDS+=(''); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
    _docker_worker; printf '%s\\n' "\${COMPREPLY[@]}"`,
  fish: 'source $argv[1]; complete -C $argv[2]',
  // It completes in a terminal only.
  zsh: `zmodload zsh/zpty; zpty shell zsh -f -i
    zpty -w shell "autoload -U compinit; compinit -u -D; source $1; echo loa''ded"
    zpty -r shell out '*loaded*'; zpty -n -w shell "$2"$'\\t'; zpty -r shell out "*$3*"; print -r -- "$out"`,
};

const questions: [asked: string, answer: string][] = [
  ['docker-worker sw', 'sweep'],
  ['docker-worker run-task --pul', '--pull'],
  ['docker-worker run-task task.yml --pull al', 'always'],
  ['docker-worker images l', 'load'],
  ['docker-worker completion f', 'fish'],
];

for (const shell of shells) {
  const missing = !existsSync(`/usr/bin/${shell}`);
  if (missing) {
    process.stderr.write(`skipped, since /usr/bin/${shell} is missing: its completion\n`);
  }
  (missing ? test.skip : test)(
    `${shell} completes commands, options and their choices`,
    async () => {
      const { stdout: script } = await run(process.execPath, ['--no-warnings', main, 'completion', shell]);
      await using folder = await mkdtempDisposable(join(tmpdir(), 'completion-'));
      const file = join(folder.path, 'script');
      await writeFile(file, script);
      const options = { timeout: 50_000, env: { ...process.env, TERM: 'xterm', HOME: folder.path } };
      const argv = shell === 'fish' ? [] : ['completion'];
      for (const [asked, answer] of questions) {
        const { stdout } = await run(shell, ['-c', completed[shell], ...argv, file, asked, answer], options);
        expect(stdout).toContain(answer);
      }
    },
    60_000,
  );
}
