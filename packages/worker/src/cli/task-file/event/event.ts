import type { TemplateContext } from '../render-template.ts';

/** What a `.taskcluster.yml` can make tasks for, with what it calls that. */
export const tasksFor = {
  push: 'github-push',
  tag: 'github-push',
  'pull-request': 'github-pull-request',
  'pull-request-untrusted': 'github-pull-request-untrusted',
  release: 'github-release',
  'issue-comment': 'github-issue-comment',
  cron: 'cron',
} as const;

export type EventKind = keyof typeof tasksFor;
export const eventKinds = Object.keys(tasksFor) as EventKind[];

/** Something that happened to a repository. */
export interface RepositoryEvent {
  kind: EventKind;
  /** What a policy may name: `event`, as the webhook's body; of a cron job what the platform gives instead. */
  context: TemplateContext;
}

/** Events to make tasks of. */
export interface EventSource {
  kind: EventKind;
  /** All that can be had, for saying what else would make tasks. */
  of(kind: EventKind): RepositoryEvent | undefined;
  /** What somebody should know of the event, one sentence each. */
  notices: string[];
}
