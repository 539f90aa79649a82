import taskcluster from 'taskcluster-client';
import type { TemplateContext } from '../render-template.ts';
import type { EventKind, EventSource, RepositoryEvent } from './event.ts';
import { type Commit, noCommit, type Person, type Repository, readRepository } from './repository.ts';

/** Stands for what only the server of the repository counts. */
const number = 1;
const madeUpTag = 'v0.0.0';

/** Events as they would be if the commit that is checked out were pushed, tagged, or made a pull request of. */
export async function eventsOfRepository(kind: EventKind, file: string): Promise<EventSource> {
  const repository = await readRepository(file);
  return {
    kind,
    of: (other) => eventOf(other, repository),
    notices: [...repository.notices, ...(kind === 'tag' || kind === 'release' ? tagNotices(repository) : [])],
  };
}

function tagNotices({ tag, isTagged, head }: Repository): string[] {
  if (isTagged) {
    return [];
  }
  const named = tag === undefined ? `${madeUpTag}, since there is none` : `${tag}, the latest before it`;
  return [`commit ${head.id.slice(0, 12)} has no tag: the event names ${named}`];
}

function eventOf(kind: EventKind, repository: Repository): RepositoryEvent {
  switch (kind) {
    case 'push':
      return { kind, context: { event: pushed(repository, `refs/heads/${repository.branch}`) } };
    case 'tag':
      return { kind, context: { event: pushed(repository, `refs/tags/${repository.tag ?? madeUpTag}`) } };
    case 'pull-request':
    case 'pull-request-untrusted':
      return {
        kind,
        context: {
          event: {
            ...{ action: 'opened', number, pull_request: pullRequest(repository) },
            ...around(repository),
          },
        },
      };
    case 'issue-comment':
      return { kind, context: { event: commented(repository) } };
    case 'release':
      return { kind, context: { event: released(repository) } };
    case 'cron':
      return { kind, context: cron(repository) };
  }
}

function pushed(repository: Repository, ref: string): object {
  const { head, parent, remote, branch, user } = repository;
  const isTag = ref.startsWith('refs/tags/');
  const before = isTag ? noCommit : parent;
  const commit = commitOf(head, remote.htmlUrl);
  return {
    ...{ ref, before, after: head.id, created: before === noCommit, deleted: false, forced: false },
    base_ref: isTag ? `refs/heads/${branch}` : null,
    compare: `${remote.htmlUrl}/compare/${before.slice(0, 12)}...${head.id.slice(0, 12)}`,
    commits: [commit],
    head_commit: commit,
    pusher: user,
    ...around(repository),
  };
}

function pullRequest(repository: Repository): object {
  const { head, remote, branch, defaultBranch, mergeBase, user } = repository;
  const side = (ref: string, sha: string) => ({
    ...{ label: `${remote.owner}:${ref}`, ref, sha },
    user: account(remote.owner),
    repo: repositoryOf(repository),
  });
  const [title = '', ...body] = head.message.split('\n');
  const url = `${remote.htmlUrl}/pull/${number}`;
  return {
    ...{ id: number, number, state: 'open', locked: false, draft: false, merged: false, title },
    ...{ url, html_url: url, diff_url: `${url}.diff`, patch_url: `${url}.patch` },
    body: body.join('\n').trim(),
    user: account(loginOf(user)),
    created_at: utc(head.committer.date),
    updated_at: utc(head.committer.date),
    labels: [],
    head: side(branch, head.id),
    base: side(defaultBranch, mergeBase),
  };
}

function commented(repository: Repository): object {
  const url = `${repository.remote.htmlUrl}/pull/${number}`;
  const { title } = pullRequest(repository) as { title: string };
  return {
    action: 'created',
    issue: { number, title, state: 'open', html_url: url, pull_request: { html_url: url } },
    comment: { body: '/taskcluster run', user: account(loginOf(repository.user)), html_url: url },
    // The platform adds what the comment asks for, and which pull request it is about.
    taskcluster_comment: 'run',
    pull_request: pullRequest(repository),
    ...around(repository),
  };
}

function released(repository: Repository): object {
  const { remote, branch, head, user, tag = madeUpTag } = repository;
  const url = `${remote.htmlUrl}/releases/tag/${tag}`;
  return {
    action: 'published',
    release: {
      ...{ tag_name: tag, name: tag, target_commitish: branch, draft: false, prerelease: false, body: '' },
      ...{ url, html_url: url, created_at: utc(head.committer.date), published_at: utc(head.committer.date) },
      tarball_url: `${remote.htmlUrl}/tarball/${tag}`,
      zipball_url: `${remote.htmlUrl}/zipball/${tag}`,
      author: account(loginOf(user)),
    },
    ...around(repository),
  };
}

/** As decision tasks of cron jobs are rendered, which have no webhook. */
function cron({ head, remote, branch, user }: Repository): TemplateContext {
  const taskId = taskcluster.slugid();
  return {
    ownTaskId: taskId,
    repository: { url: remote.htmlUrl, project: remote.name, level: '1' },
    push: {
      ...{ revision: head.id, branch, owner: user.email, comment: '' },
      ...{ pushlog_id: '0', pushdate: Math.floor(Date.parse(head.committer.date) / 1000) },
    },
    cron: { task_id: taskId, job_name: 'local', job_symbol: 'local', quoted_args: '', input: {} },
  };
}

/** What every webhook tells: where it happened, and who did it. */
function around(repository: Repository): object {
  const { remote, user } = repository;
  return {
    repository: repositoryOf(repository),
    organization: { login: remote.owner },
    sender: account(loginOf(user)),
    installation: { id: number },
  };
}

function repositoryOf({ remote, defaultBranch }: Repository): object {
  const { owner, name, htmlUrl, cloneUrl, sshUrl } = remote;
  return {
    ...{ id: number, name, full_name: `${owner}/${name}`, private: false, fork: false, description: '' },
    owner: { ...account(owner), name: owner },
    ...{ html_url: htmlUrl, url: htmlUrl, svn_url: htmlUrl, clone_url: cloneUrl, ssh_url: sshUrl },
    git_url: cloneUrl.replace(/^https?/, 'git'),
    default_branch: defaultBranch,
    master_branch: defaultBranch,
  };
}

function commitOf({ id, tree, message, author, committer, ...files }: Commit, htmlUrl: string): object {
  const { added, removed, modified } = files;
  const person = ({ name, email }: Person) => ({ name, email, username: loginOf({ email }) });
  return {
    ...{ id, tree_id: tree, distinct: true, message, timestamp: committer.date },
    url: `${htmlUrl}/commit/${id}`,
    author: person(author),
    committer: person(committer),
    ...{ added, removed, modified },
  };
}

function account(login: string): object {
  return { login, id: number, type: 'User', site_admin: false };
}

/** What stands before the `@`; of an address that GitHub gives to those who hide theirs, the name there. */
function loginOf({ email }: { email: string }): string {
  return email.split('@')[0]?.replace(/^\d+\+/, '') || 'nobody';
}

function utc(date: string): string {
  return new Date(date).toJSON().replace(/\.\d+Z$/, 'Z');
}
