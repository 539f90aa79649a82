import type { EventKind } from './event.ts';

/** The part of webhooks that policies of version 0 have names for. */
interface Body {
  action?: string;
  number?: number;
  ref?: string;
  before?: string;
  after?: string;
  pull_request?: { title: string; head: Side; base: Side };
  release?: Record<string, unknown>;
  repository: { name: string; clone_url: string };
  sender: { login: string; id?: number };
}

interface Side {
  ref: string;
  sha: string;
  repo: { name: string; clone_url: string };
  user: { login: string };
}

export type EventDetails = Record<string, unknown> & { 'event.type': string };

/** An event by the names that policies of version 0 have for its parts; those know none of cron jobs and comments. */
export function eventDetails(kind: EventKind, event: unknown): EventDetails | undefined {
  const body = event as Body;
  switch (kind) {
    case 'push':
    case 'tag':
      return { ...pushDetails(kind, body), ...person(body) };
    case 'pull-request':
    case 'pull-request-untrusted':
      return { ...pullRequestDetails(body), ...person(body) };
    case 'release':
      return { ...releaseDetails(body), ...person(body) };
    default:
      return undefined;
  }
}

function pushDetails(
  kind: 'push' | 'tag',
  { ref = '', before, after, repository, sender }: Body,
): EventDetails {
  const name = ref.split('/').slice(2).join('/');
  return {
    'event.type': kind,
    'event.base.ref': ref,
    'event.base.repo.name': repository.name,
    'event.base.repo.url': repository.clone_url,
    'event.base.sha': before,
    'event.base.user.login': sender.login,
    'event.head.ref': ref,
    'event.head.repo.name': repository.name,
    'event.head.repo.url': repository.clone_url,
    'event.head.sha': after,
    ...(kind === 'tag'
      ? { 'event.head.tag': name }
      : { 'event.base.repo.branch': name, 'event.head.repo.branch': name }),
  };
}

function pullRequestDetails({ action, number, pull_request }: Body): EventDetails {
  const { head, base, title } = pull_request as NonNullable<Body['pull_request']>;
  const side = (name: 'head' | 'base', { ref, sha, repo }: Side) => ({
    [`event.${name}.ref`]: `refs/heads/${ref}`,
    [`event.${name}.repo.branch`]: ref,
    [`event.${name}.repo.name`]: repo.name,
    [`event.${name}.repo.url`]: repo.clone_url,
    [`event.${name}.sha`]: sha,
  });
  return {
    'event.type': `pull_request.${action}`,
    ...side('base', base),
    ...side('head', head),
    'event.base.user.login': base.user.login,
    'event.pullNumber': number,
    'event.title': title,
  };
}

function releaseDetails({ release, repository }: Body): EventDetails {
  const { target_commitish, tag_name, name, url, prerelease, draft, tarball_url, zipball_url } =
    release ?? {};
  return {
    'event.type': 'release',
    'event.base.repo.branch': target_commitish,
    'event.head.repo.name': repository.name,
    'event.head.repo.url': repository.clone_url,
    'event.version': tag_name,
    'event.name': name,
    'event.release.url': url,
    'event.prerelease': prerelease,
    'event.draft': draft,
    'event.tar': tarball_url,
    'event.zip': zipball_url,
  };
}

/** The platform asks GitHub for the address; this is what it takes when somebody hides it. */
function person({ sender: { login, id } }: Body): object {
  return {
    'event.head.user.login': login,
    'event.head.user.id': id,
    'event.head.user.email': `${login.replace(/\[bot\]$/, '')}@users.noreply.github.com`,
  };
}
