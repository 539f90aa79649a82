import { execFile } from 'node:child_process';
import { basename, dirname, resolve } from 'node:path';
import { promisify } from 'node:util';
import { UserError } from '../../../user-error.ts';
import { type Remote, remoteOf } from './remote.ts';

const run = promisify(execFile);

/** As git and GitHub name a commit that is not there. */
export const noCommit = '0'.repeat(40);

export interface Person {
  name: string;
  email: string;
  /** RFC 3339, in the person's own zone. */
  date: string;
}

export interface Commit {
  id: string;
  tree: string;
  message: string;
  author: Person;
  committer: Person;
  added: string[];
  removed: string[];
  modified: string[];
}

/** What git knows of the repository that a file lies in. */
export interface Repository {
  folder: string;
  remote: Remote;
  /** The remote's, as far as git knows it. */
  defaultBranch: string;
  /** The default branch if none is checked out. */
  branch: string;
  head: Commit;
  /** `noCommit` of a first one. */
  parent: string;
  /** Where the branch has left the default branch; the parent on that itself. */
  mergeBase: string;
  /** The latest, which is the checked out commit's own if that has one. */
  tag: string | undefined;
  /** Whether the checked out commit has a tag. */
  isTagged: boolean;
  /** The person at this machine. */
  user: { name: string; email: string };
  /** What the commit does not have, one sentence each. */
  notices: string[];
}

/** @throws UserError when the file lies in no repository, or in one without a commit */
export async function readRepository(file: string): Promise<Repository> {
  const folder = await topLevel(dirname(resolve(file)));
  const git = (...words: string[]) => ask(folder, words);
  const [head, url, remoteHead, current, parent, ownTags, lastTag, changes, remotes, name, email] =
    await Promise.all([
      readHead(folder),
      git('remote', 'get-url', 'origin'),
      git('symbolic-ref', '--short', 'refs/remotes/origin/HEAD'),
      git('symbolic-ref', '--short', 'HEAD'),
      git('rev-parse', '--verify', '--quiet', 'HEAD^'),
      git('tag', '--points-at', 'HEAD', '--sort=-creatordate'),
      git('describe', '--tags', '--abbrev=0'),
      git('status', '--porcelain', '-z'),
      git('branch', '--remotes', '--contains', 'HEAD'),
      git('config', 'user.name'),
      git('config', 'user.email'),
    ]);
  const defaultBranch =
    remoteHead?.replace(/^origin\//, '') ?? (await usualBranch(folder)) ?? current ?? 'main';
  const branch = current ?? defaultBranch;
  const mergeBase =
    (await git('merge-base', 'HEAD', `origin/${defaultBranch}`)) ??
    (await git('merge-base', 'HEAD', defaultBranch));
  const remote = remoteOf(url) ?? remoteOf(`https://github.com/local/${basename(folder)}`);
  return {
    ...{ folder, remote: remote as Remote, defaultBranch, branch, head },
    parent: parent ?? noCommit,
    mergeBase: mergeBase === undefined || mergeBase === head.id ? (parent ?? noCommit) : mergeBase,
    tag: ownTags?.split('\n')[0] ?? lastTag,
    isTagged: ownTags !== undefined,
    user: { name: name ?? head.author.name, email: email ?? head.author.email },
    notices: [
      ...(url === undefined
        ? [
            `the repository has no remote called origin: the event names ${remote?.cloneUrl}, which is nowhere`,
          ]
        : []),
      ...(url !== undefined && remotes === undefined
        ? [`commit ${head.id.slice(0, 12)} is on no remote: a task that clones it does not find it`]
        : []),
      ...uncommitted(changes, head.id),
    ],
  };
}

async function topLevel(folder: string): Promise<string> {
  try {
    const { stdout } = await run('git', ['-C', folder, 'rev-parse', '--show-toplevel']);
    return stdout.trimEnd();
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw new UserError(
      isMissing
        ? '--event: git is not installed; give the event by --event-file FILE'
        : `--event: ${folder} is in no git repository that may be read; give the event by --event-file FILE`,
    );
  }
}

async function readHead(folder: string): Promise<Commit> {
  const format = '%H%x00%T%x00%an%x00%ae%x00%aI%x00%cn%x00%ce%x00%cI%x00%B';
  const [commit, files] = await Promise.all([
    ask(folder, ['log', '-1', `--format=${format}`]),
    ask(folder, [
      'diff-tree',
      '--no-commit-id',
      '--root',
      '-r',
      '-m',
      '--first-parent',
      '--no-renames',
      '--name-status',
      '-z',
      'HEAD',
    ]),
  ]);
  if (commit === undefined) {
    throw new UserError(
      `--event: ${folder} has no commit yet; make one, or give the event by --event-file FILE`,
    );
  }
  const [id = '', tree = '', an = '', ae = '', ad = '', cn = '', ce = '', cd = '', ...message] =
    commit.split('\0');
  const fields = (files ?? '').split('\0');
  const changed = (...kinds: string[]) =>
    fields.filter((_, index) => index % 2 === 1 && kinds.includes(fields[index - 1] ?? ''));
  return {
    ...{ id, tree, message: message.join('\0').trimEnd() },
    author: { name: an, email: ae, date: ad },
    committer: { name: cn, email: ce, date: cd },
    added: changed('A'),
    removed: changed('D'),
    modified: changed('M', 'T'),
  };
}

async function usualBranch(folder: string): Promise<string | undefined> {
  const names = await ask(folder, ['branch', '--format=%(refname:short)', '--list', 'main', 'master']);
  return names?.split('\n')[0];
}

/** The person's own work, which no commit has. */
function uncommitted(changes: string | undefined, commit: string): string[] {
  const files = (changes ?? '').split('\0').filter((entry) => /^.. /.test(entry));
  if (files.length === 0) {
    return [];
  }
  const some = files.slice(0, 3).map((entry) => entry.slice(3));
  const more = files.length > some.length ? ` and ${files.length - some.length} more` : '';
  return [
    `not committed, so not in commit ${commit.slice(0, 12)} that the event names: ${some.join(', ')}${more}`,
  ];
}

/** What git prints, or nothing if it prints nothing or fails. */
async function ask(folder: string, words: string[]): Promise<string | undefined> {
  try {
    const { stdout } = await run('git', ['-C', folder, ...words], { maxBuffer: 64 * 1024 * 1024 });
    return stdout.trimEnd() || undefined;
  } catch {
    return undefined;
  }
}
