import { expect, test } from '@jest/globals';
import { toHtml } from '../server/to-html.ts';
import { firstStep } from './first-step.ts';
import { groupGraph } from './group-graph.ts';
import type { GroupTask } from './page-views.ts';
import { scopeMeaning } from './scope-meaning.ts';
import { timeLine } from './time-line.ts';

test.each([
  ['*', 'do everything: no scope is missing'],
  ['secrets:get:project/$&/x', 'read the secret project/$&/x'],
  ['secrets:get:project/*', 'read the secret project/… (any that begins so)'],
  ['docker-worker:cache:*', 'keep the folder “(any)” on the worker between tasks'],
  ['project:releng:services/tooltool/api/download', 'what “project” lets those do who have this scope'],
  ['project:*', 'all of “project” that begins with this'],
])('what a scope lets its task do is said in words: %s', (scope, meaning) => {
  expect(scopeMeaning(scope)).toBe(meaning);
});

test('who has not succeeded is told the first thing to do, and nobody else', () => {
  expect(firstStep('completed', 'completed')).toBeUndefined();
  expect(firstStep('running')).toBeUndefined();
  expect(firstStep('failed', 'failed')).toContain('last lines of the log');
  expect(firstStep('exception', 'malformed-payload')).toContain('correct the definition');
  expect(firstStep('exception', 'unheard-of')).toContain('last lines of the log');
});

function task(taskId: string, dependencies: string[]): GroupTask {
  return { taskId, runId: 0, name: taskId, state: 'running', dependencies, actions: [] };
}

test('in a graph each task is to the right of those that it needs, also when they need each other', () => {
  const tasks = [
    task('last', ['first', 'gone']),
    task('first', []),
    task('self', ['self']),
    task('a', ['b']),
    task('b', ['a']),
  ];

  const html = groupGraph(tasks, ({ taskId }) => `/${taskId}`)
    .map(toHtml)
    .join('');

  const x = (id: string) => Number(new RegExp(`href="/${id}"[^>]*><rect x="(\\d+)"`).exec(html)?.[1]);
  expect(x('last')).toBeGreaterThan(x('first'));
  for (const { taskId } of tasks) {
    expect(x(taskId)).toBeGreaterThanOrEqual(0);
  }
  expect(html.match(/class="needs"/g)).toHaveLength(4);
});

test('a group that is too large to draw says so', () => {
  const many = Array.from({ length: 201 }, (_, each) => task(`t${each}`, []));

  expect(
    groupGraph(many, () => '/')
      .map(toHtml)
      .join(''),
  ).toContain('201 tasks are too many to draw');
});

test('the time line shows how long each phase took, and which goes on', () => {
  const from = '2026-01-02T03:04:05.000Z';
  const html = toHtml(
    timeLine(
      [
        { name: 'image', from, until: '2026-01-02T03:04:15.000Z', note: '30 MiB' },
        { name: 'running', from: '2026-01-02T03:04:15.000Z' },
      ],
      new Date('2026-01-02T03:05:45.000Z'),
    ),
  );

  expect(html).toContain('10.0 s');
  expect(html).toContain('1 min 30 s');
  expect(html).toContain('30 MiB');
  expect(html.match(/data-until/g)).toHaveLength(1);
  expect(html).toMatch(/x="100" width="900"/);
});
