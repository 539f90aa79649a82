import { readFile } from 'node:fs/promises';
import taskcluster from 'taskcluster-client';
import { z } from 'zod';
import { UserError } from '../../../user-error.ts';
import { type EventKind, type EventSource, tasksFor } from './event.ts';

const repository = z.looseObject({
  name: z.string(),
  clone_url: z.string(),
  owner: z.looseObject({ login: z.string().optional(), name: z.string().optional() }),
});
const sender = z.looseObject({ login: z.string() });
const side = z.looseObject({
  ref: z.string(),
  sha: z.string(),
  repo: z.looseObject({ name: z.string(), clone_url: z.string() }),
  user: sender,
});
const pull_request = z.looseObject({ title: z.string(), head: side, base: side });
const cronContext = z.looseObject({
  cron: z.looseObject({}),
  push: z.looseObject({}),
  repository: z.looseObject({ url: z.string() }),
});
const bodies = {
  push: z.looseObject({ ref: z.string(), before: z.string(), after: z.string(), repository, sender }),
  'pull-request': z.looseObject({ action: z.string(), number: z.int(), pull_request, repository, sender }),
  release: z.looseObject({
    action: z.string().optional(),
    release: z.looseObject({ tag_name: z.string(), target_commitish: z.string() }),
    repository,
    sender,
  }),
  'issue-comment': z.looseObject({
    action: z.string(),
    issue: z.looseObject({ number: z.int() }),
    comment: z.looseObject({ body: z.string() }),
    repository,
    sender,
  }),
  cron: cronContext,
};
const bodyOf: Record<EventKind, z.ZodType<Record<string, unknown>>> = {
  ...bodies,
  tag: bodies.push,
  'pull-request-untrusted': bodies['pull-request'],
};

/**
 * The event of a stored webhook body, or of the context of a cron job.
 *
 * @param kind which it is; default: the one that it looks like
 * @throws UserError
 */
export async function eventOfFile(file: string, kind: EventKind | undefined): Promise<EventSource> {
  const content = await read(file);
  const own = kindOf(content);
  const isAsked =
    kind === undefined ||
    own === kind ||
    (own !== undefined && tasksFor[kind] === `${tasksFor[own]}-untrusted`);
  if (own === undefined || !isAsked) {
    const looks =
      own === undefined
        ? 'is neither the body of a webhook nor the context of a cron job'
        : `holds an event of the kind ${own}`;
    throw new UserError(
      `--event-file ${file}: ${looks}; ${kind === undefined ? 'give one that GitHub has sent' : `give one of the kind ${kind}`}`,
    );
  }
  const parsed = bodyOf[own].safeParse(content);
  if (!parsed.success) {
    const [first] = parsed.error.issues;
    throw new UserError(
      `--event-file ${file}: ${first?.path.join('.') || 'the document'}: ${first?.message}; give a whole body as GitHub sends it for ${own}`,
    );
  }
  const body = parsed.data;
  const context =
    own === 'cron'
      ? { ownTaskId: taskcluster.slugid(), ...body }
      : { event: own === 'issue-comment' ? withComment(body) : body };
  const chosen = kind ?? own;
  return {
    kind: chosen,
    of: (other) => (other === chosen ? { kind: chosen, context } : undefined),
    notices: [],
  };
}

async function read(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new UserError(
      `--event-file ${file}: ${code === undefined ? `not valid JSON: ${message}` : `cannot be read (${code})`}`,
    );
  }
}

function kindOf(content: unknown): EventKind | undefined {
  if (typeof content !== 'object' || content === null) {
    return undefined;
  }
  const has = (key: string) => Object.hasOwn(content, key);
  if (has('comment') && has('issue')) {
    return 'issue-comment';
  }
  if (has('pull_request')) {
    return 'pull-request';
  }
  if (has('release')) {
    return 'release';
  }
  if (has('cron')) {
    return 'cron';
  }
  const { ref } = content as { ref?: unknown };
  return typeof ref === 'string' ? (ref.startsWith('refs/tags/') ? 'tag' : 'push') : undefined;
}

/** What the platform reads out of the comment. */
function withComment(body: Record<string, unknown>): Record<string, unknown> {
  const { comment } = body as { comment: { body: string } };
  const asked = /^\/taskcluster\s+(.*)$/m.exec(comment.body)?.[1]?.trim() ?? '';
  return { taskcluster_comment: asked, ...body };
}
