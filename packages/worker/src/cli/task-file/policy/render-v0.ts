import parameterize from 'json-parameterization';
import taskcluster from 'taskcluster-client';
import { z } from 'zod';
import { type Problem, problemPath } from '../../../problem.ts';
import { localPool } from '../../local-pool.ts';
import { eventDetails } from '../event/details.ts';
import type { RepositoryEvent } from '../event/event.ts';
import type { PolicyTask, PolicyV0 } from './policy.ts';

/** What a task says of the events that it is for; one without it is for none. */
const ForGithub = z.looseObject({
  env: z.boolean().optional(),
  events: z.array(z.string()),
  branches: z.array(z.string()).optional(),
  excludeBranches: z.array(z.string()).optional(),
});
type ForGithub = z.infer<typeof ForGithub>;

interface Task extends Record<string, unknown> {
  extra?: { github?: unknown };
  payload?: { env?: object };
  routes?: string[];
}

/** The tasks of a policy for an event. */
export function renderV0(policy: PolicyV0, { kind, context }: RepositoryEvent): PolicyTask[] | Problem {
  const { event } = context as { event?: { repository: { full_name?: string; name: string } } };
  const details = eventDetails(kind, event);
  if (details === undefined || event === undefined) {
    return [];
  }
  const [organization = '', repository = ''] = (event.repository.full_name ?? event.repository.name).split(
    '/',
  );
  const tasks = parameterize(policy.tasks ?? [], {
    ...details,
    $fromNow: (text = '') => taskcluster.fromNowJSON(text),
    timestamp: Date.now(),
    organization,
    repository,
    'taskcluster.docker.provisionerId': localPool.provisionerId,
    'taskcluster.docker.workerType': localPool.workerType,
  }) as Task[];
  const chosen: Task[] = [];
  for (const [index, task] of tasks.entries()) {
    if (task.extra?.github === undefined) {
      continue;
    }
    const github = ForGithub.safeParse(task.extra.github);
    const keys = ['tasks', index, 'extra', 'github'];
    const path = problemPath('', keys);
    if (!github.success) {
      return { path, keys, message: 'must have a list of events, as in events: [push, pull_request.opened]' };
    }
    if (github.data.branches && github.data.excludeBranches) {
      return { path, keys, message: 'has both branches and excludeBranches; remove one' };
    }
    if (isFor(github.data, details)) {
      chosen.push(github.data.env ? withEnv(task, details) : task);
    }
  }
  return inOneGroup(chosen);
}

function isFor({ events, branches, excludeBranches }: ForGithub, details: Record<string, unknown>): boolean {
  const type = String(details['event.type']);
  const branch = String(details['event.base.repo.branch']);
  const isOfBranch =
    type !== 'push' || (branches?.includes(branch) ?? !(excludeBranches?.includes(branch) ?? false));
  return isOfBranch && events.some((event) => type.startsWith(event.replace(/\*+$/, '')));
}

function withEnv(task: Task, details: Record<string, unknown>): Task {
  const names = {
    GITHUB_EVENT: 'type',
    GITHUB_BRANCH: 'base.repo.branch',
    GITHUB_PULL_REQUEST: 'pullNumber',
    GITHUB_PULL_TITLE: 'title',
    GITHUB_BASE_REPO_NAME: 'base.repo.name',
    GITHUB_BASE_REPO_URL: 'base.repo.url',
    GITHUB_BASE_USER: 'base.user.login',
    GITHUB_BASE_SHA: 'base.sha',
    GITHUB_BASE_BRANCH: 'base.repo.branch',
    GITHUB_BASE_REF: 'base.ref',
    GITHUB_HEAD_REPO_NAME: 'head.repo.name',
    GITHUB_HEAD_REPO_URL: 'head.repo.url',
    GITHUB_HEAD_USER: 'head.user.login',
    GITHUB_HEAD_SHA: 'head.sha',
    GITHUB_HEAD_BRANCH: 'head.repo.branch',
    GITHUB_HEAD_TAG: 'head.tag',
    GITHUB_HEAD_REF: 'head.ref',
    GITHUB_HEAD_USER_EMAIL: 'head.user.email',
  };
  const env = Object.entries(names).flatMap(([name, part]) => {
    const value = details[`event.${part}`];
    return value === undefined ? [] : [[name, String(value)]];
  });
  return { ...task, payload: { ...task.payload, env: { ...task.payload?.env, ...Object.fromEntries(env) } } };
}

/** The group is called as its first task. */
function inOneGroup(tasks: Task[]): PolicyTask[] {
  const ids = tasks.map(() => taskcluster.slugid());
  return tasks.map((task, index) => ({
    taskId: ids[index] as string,
    task: {
      ...task,
      taskGroupId: ids[0],
      schedulerId: 'taskcluster-github',
      routes: [...new Set([...(task.routes ?? []), 'statuses'])],
    },
  }));
}
