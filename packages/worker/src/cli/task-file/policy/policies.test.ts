import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { payloadSchemaFor } from '../../../features/payload-schema.ts';
import type { EventKind, EventSource } from '../event/event.ts';
import { eventOfFile } from '../event/event-of-file.ts';
import { eventsOfRepository } from '../event/event-of-repository.ts';
import { readTaskFile } from '../read-task-file.ts';

const fixtures = join(import.meta.dirname, 'fixtures');
const slugid = expect.stringMatching(/^[\w-]{22}$/);
const url = 'https://github.com/example/project';

let folder: string;
let head: string;
let events: EventSource;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'policies-'));
  git('init', '--quiet', '--initial-branch=main');
  git('config', 'user.email', 'person@example.com');
  git('remote', 'add', 'origin', 'git@github.com:example/project.git');
  await commit('README.md', 'First');
  git('tag', 'v1.2');
  git('checkout', '--quiet', '-b', 'topic');
  await commit('docs/page.md', 'Explain\n\nAt length.');
  head = git('rev-parse', 'HEAD');
  events = await eventsOfRepository('push', join(folder, '.taskcluster.yml'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

function git(...words: string[]): string {
  const person = { NAME: 'A Person', EMAIL: 'person@example.com', DATE: '2026-11-01T12:00:00Z' };
  const env = Object.entries(person).flatMap(([key, value]) => [
    [`GIT_AUTHOR_${key}`, value],
    [`GIT_COMMITTER_${key}`, value],
  ]);
  return execFileSync('git', ['-C', folder, ...words], {
    env: { PATH: process.env.PATH, GIT_CONFIG_GLOBAL: '/dev/null', ...Object.fromEntries(env) },
    encoding: 'utf8',
  }).trim();
}

async function commit(file: string, message: string): Promise<void> {
  await mkdir(join(folder, file, '..'), { recursive: true });
  await writeFile(join(folder, file), message);
  git('add', '.');
  git('commit', '--quiet', `--message=${message}`);
}

async function render(name: string, kind: EventKind) {
  return await readTaskFile(join(fixtures, `${name}.yml`), payloadSchemaFor(), {
    events: { ...events, kind },
  });
}

/** What each policy makes for each event, as far as it is that policy's own. */
const expected: { policy: string; event: EventKind; tasks: () => object[] }[] = [
  {
    policy: 'guide',
    event: 'push',
    tasks: () => [
      {
        name: 'example tests',
        taskId: slugid,
        task: { taskQueueId: 'proj-example/ci', schedulerId: 'taskcluster-github', routes: ['statuses'] },
        payload: {
          command: [
            '/bin/bash',
            '-c',
            `git clone ${url} repo && cd repo && git checkout ${head} && npm test`,
          ],
        },
      },
    ],
  },
  {
    policy: 'guide',
    event: 'pull-request',
    tasks: () => [{ payload: { command: ['/bin/bash', '-c', expect.stringContaining(head)] } }],
  },
  {
    policy: 'dependencies',
    event: 'push',
    tasks: () => [
      { name: 'lint', task: { provisionerId: 'proj-example', routes: ['checks'], taskGroupId: slugid } },
      { name: 'build' },
      { name: 'publish', dependencies: [slugid, slugid] },
    ],
  },
  {
    policy: 'by-branch',
    event: 'push',
    tasks: () => [{ name: 'try', task: { metadata: { owner: 'person@example.com' } } }],
  },
  {
    policy: 'matrix',
    event: 'push',
    tasks: () => [
      {
        name: 'tests on bookworm',
        // biome-ignore lint/suspicious/noTemplateCurlyInString: the shell's own
        payload: { image: 'debian:bookworm', command: ['sh', '-c', 'python${PYTHON} -m pytest'] },
      },
      { name: 'tests on trixie', payload: { env: { PYTHON: '3.13' } } },
    ],
  },
  { policy: 'changed-files', event: 'push', tasks: () => [{ name: 'docs: docs/page.md' }] },
  { policy: 'releases', event: 'tag', tasks: () => [{ name: 'build v1.2' }] },
  {
    policy: 'releases',
    event: 'release',
    tasks: () => [{ name: 'publish v1.2', task: { scopes: ['secrets:get:project/example/publish'] } }],
  },
  {
    policy: 'decision',
    event: 'push',
    tasks: () => [
      {
        name: 'Decision Task',
        task: {
          schedulerId: 'example-level-1',
          scopes: ['assume:repo:github.com/example/project:branch:topic'],
          metadata: { source: `${url}/raw/${head}/.taskcluster.yml` },
        },
        payload: {
          env: { EXAMPLE_HEAD_REV: head },
          command: ['taskgraph', 'decision', '--tasks-for=github-push'],
        },
      },
    ],
  },
  {
    policy: 'decision',
    event: 'pull-request-untrusted',
    tasks: () => [{ task: { extra: { tasks_for: 'github-pull-request-untrusted' } } }],
  },
  {
    policy: 'decision',
    event: 'cron',
    tasks: () => [
      {
        name: 'Decision Task for cron job local',
        task: { scopes: ['assume:repo:github.com/example/project:cron:local'] },
      },
    ],
  },
  {
    policy: 'hooks',
    event: 'pull-request',
    tasks: () => [{ name: 'check', task: { metadata: { source: `${url}/pull/1` } } }],
  },
  {
    policy: 'comments',
    event: 'issue-comment',
    tasks: () => [
      { name: 'asked for run', task: { metadata: { description: 'On pull request 1 of topic.' } } },
    ],
  },
  {
    policy: 'version-0',
    event: 'pull-request',
    tasks: () => [
      {
        name: 'tests',
        task: {
          provisionerId: 'local',
          taskGroupId: slugid,
          metadata: { owner: 'person@users.noreply.github.com' },
        },
        payload: {
          command: ['sh', '-c', `git clone ${url}.git repo && cd repo && git checkout ${head}`],
          env: { GITHUB_EVENT: 'pull_request.opened', GITHUB_PULL_REQUEST: '1', GITHUB_HEAD_BRANCH: 'topic' },
        },
      },
    ],
  },
  { policy: 'version-0', event: 'push', tasks: () => [{ name: 'tests' }] },
  { policy: 'version-0', event: 'tag', tasks: () => [{ name: 'publish', task: { routes: ['statuses'] } }] },
];

test.each(expected)('$policy makes its tasks for $event', async ({ policy, event, tasks }) => {
  expect((await render(policy, event)).tasks).toMatchObject(tasks());
});

test('labels are one id wherever they are named, and the only task is the one that its group is called by', async () => {
  const [lint, build, publish] = (await render('dependencies', 'push')).tasks;
  const [decision] = (await render('decision', 'push')).tasks;
  const [only] = (await render('guide', 'push')).tasks;

  expect(publish?.dependencies).toEqual([lint?.taskId, build?.taskId]);
  expect(lint?.task.taskGroupId).toBe(publish?.task.taskGroupId);
  expect(lint?.task.taskGroupId).not.toBe(lint?.taskId);
  expect(decision?.task.taskGroupId).toBe(decision?.taskId);
  expect(only?.task.taskGroupId).toBe(only?.taskId);
});

describe('what a person is told', () => {
  const refused: [string, EventKind, string][] = [
    [
      'by-branch',
      'pull-request',
      'the policy makes no tasks for pull-request (github-pull-request); it has some for --event push',
    ],
    ['releases', 'push', 'no tasks for push (github-push); it has some for --event tag, --event release'],
    [
      'hooks',
      'push',
      'no tasks for push (github-push); it triggers hooks, which are not here; it has some for --event pull-request',
    ],
    [
      'guide',
      'issue-comment',
      'since it does not say policy: {allowComments: collaborators}; it has some for --event push',
    ],
    [
      'version-0',
      'cron',
      'no tasks for cron (cron); it has some for --event push, --event tag, --event pull-request',
    ],
  ];

  test.each(refused)('%s for %s', async (policy, event, text) => {
    await expect(render(policy, event)).rejects.toThrow(text);
  });

  test('a hook is passed over', async () => {
    expect((await render('hooks', 'pull-request')).notices).toContain(
      'the policy triggers the hook project-example/decision, which is not here: it is passed over',
    );
  });

  test('what is not committed, not pushed or not tagged is named', async () => {
    await writeFile(join(folder, 'draft.txt'), '');
    try {
      expect((await eventsOfRepository('release', join(folder, '.taskcluster.yml'))).notices).toEqual([
        `commit ${head.slice(0, 12)} is on no remote: a task that clones it does not find it`,
        `not committed, so not in commit ${head.slice(0, 12)} that the event names: draft.txt`,
        `commit ${head.slice(0, 12)} has no tag: the event names v1.2, the latest before it`,
      ]);
    } finally {
      await rm(join(folder, 'draft.txt'));
    }
  });

  test('a policy needs an event, and an event a policy', async () => {
    const task = join(folder, '.git', 'task.yml');
    await writeFile(task, 'image: node\nmaxRunTime: 60\n');

    await expect(readTaskFile(join(fixtures, 'guide.yml'), payloadSchemaFor())).rejects.toThrow(
      'a policy of version 1 makes tasks for events: add --event push|tag|pull-request|',
    );
    await expect(readTaskFile(task, payloadSchemaFor(), { events })).rejects.toThrow('leave --event out');
  });

  test('errors name the line and what is wrong', async () => {
    const policy = join(folder, '.git', 'policy.yml');
    const refused = async (text: string) => {
      await writeFile(policy, text);
      return await readTaskFile(policy, payloadSchemaFor(), { events }).catch(({ message }) =>
        message.replace(`${folder}/.git/`, ''),
      );
    };

    expect(await refused('version: 2\ntasks: []\n')).toBe('policy.yml:1:1: version: must be 0 or 1');
    expect(await refused('version: 1\ntask: []\n')).toMatch(
      /^policy\.yml:2:1: task: .*did you mean 'tasks'\?$/,
    );
    expect(await refused('version: 1\ntasks: {a: 1}\n')).toBe(
      'policy.yml:2:1: tasks: found a mapping once it is rendered, expected a list of tasks',
    );
    expect(await refused('version: 1\ntasks:\n  - $eval: event.nothing\n')).toMatch(
      /^policy\.yml:3:5: tasks\[0\]: not valid JSON-e: object has no property "?nothing/,
    );
    expect(await refused('version: 1\ntasks:\n  - payload: {image: a, maxRunTime: x}\n')).toMatch(
      /^policy\.yml:3:\d+: tasks\[0\]\.payload\.maxRunTime: /,
    );
  });
});

describe('a stored webhook', () => {
  const repository = {
    name: 'p',
    full_name: 'o/p',
    clone_url: 'u',
    url: 'https://u',
    html_url: 'h',
    owner: { login: 'o' },
  };
  const body = {
    ...{ ref: 'refs/heads/main', before: 'a', after: 'b', pusher: { email: 'x@example.com' } },
    ...{ repository, sender: { login: 'x' } },
  };
  const store = async (content: object) => {
    const file = join(folder, '.git', 'event.json');
    await writeFile(file, JSON.stringify(content));
    return file;
  };

  test('is known by what it holds', async () => {
    const events = await eventOfFile(await store(body), undefined);

    expect(events.kind).toBe('push');
    expect(
      (await readTaskFile(join(fixtures, 'by-branch.yml'), payloadSchemaFor(), { events })).tasks,
    ).toMatchObject([{ name: 'deploy', task: { metadata: { owner: 'x@example.com' } } }]);
  });

  test('of another kind, or without what is needed, is refused with the reason', async () => {
    await expect(eventOfFile(await store(body), 'release')).rejects.toThrow(
      'holds an event of the kind push; give one of the kind release',
    );
    await expect(eventOfFile(await store({ ...body, after: undefined }), 'push')).rejects.toThrow(
      /event\.json: after: /,
    );
    await expect(eventOfFile(await store({}), undefined)).rejects.toThrow('neither the body of a webhook');
  });
});
