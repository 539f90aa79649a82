import { spawnSync } from 'node:child_process';
import { expect, test } from '@jest/globals';
import { ownerTag } from '../../ownership/owner-tag.ts';
import { profileName } from './app-armor.ts';
import { profileText } from './profile-text.ts';

const name = profileName(ownerTag({ worker: 'a/b/c/d', taskRun: '-_23456789012345678_-w/0' }));

test('apparmor_parser takes the profile, under its name', () => {
  const { status, stdout, complaints } = parse(['--names'], profileText(name));

  expect(complaints).toEqual([]);
  expect(stdout.trim()).toBe(name);
  expect(status).toBe(0);
});

test('it is compiled for the kernel without an error', () => {
  const { status, complaints } = parse(['--skip-kernel-load', '--skip-cache', '--add'], profileText(name));

  expect(complaints).toEqual([]);
  expect(status).toBe(0);
});

test('tracing is allowed among processes of the same profile and of no other', () => {
  const rules = profileText(name).match(/^.*\bptrace\b.*peer=.*$/gm);

  expect(rules).toEqual([`  ptrace (trace, read, tracedby, readby) peer=${name},`]);
});

test('what is no profile is refused by the parser, so that the tests above can fail', () => {
  const { status, complaints } = parse(
    ['--skip-kernel-load', '--skip-cache', '--add'],
    profileText(name).replace('ptrace (trace', 'ptrace (trail'),
  );

  expect(status).not.toBe(0);
  expect(complaints.join()).toContain('AppArmor parser error');
});

/** The kernel of the machine that tests run on need not have AppArmor, which the parser tells each time. */
function parse(args: string[], input: string) {
  const { status, stdout, stderr } = spawnSync('apparmor_parser', args, { input, encoding: 'utf8' });
  const complaints = stderr.split('\n').filter((line) => line !== '' && !/^Cache read\/write/.test(line));
  return { status, stdout, complaints };
}
