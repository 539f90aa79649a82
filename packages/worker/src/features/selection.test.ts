import { expect, test } from '@jest/globals';
import type { WorkerConfig } from '../config/config.ts';
import { testConfig } from '../config-file/testing/worker-config.ts';
import { selectFeatures } from './selection.ts';

test('a payload that names no feature uses those that are on by default', () => {
  expect(select({})).toEqual({ used: ['artifacts', 'localLiveLog'], problems: [] });
});

test('a feature that is off by default is used when the payload says so', () => {
  expect(select({ taskclusterProxy: true }).used).toContain('taskclusterProxy');
});

test('a feature that is on by default is not used when the payload says false', () => {
  expect(select({ localLiveLog: false })).toEqual({ used: ['artifacts'], problems: [] });
});

test('an unknown feature is a problem that names it and what there is', () => {
  expect(select({ timeTravel: true }).problems).toEqual([
    {
      path: 'payload.features.timeTravel',
      message: expect.stringMatching(/^timeTravel is not part of valid features; .*taskclusterProxy/),
    },
  ]);
});

test('an unknown feature is a problem even when the payload says false', () => {
  expect(select({ timeTravel: false }).problems).toHaveLength(1);
});

test('a feature that the worker has switched off is a problem when the payload asks for it', () => {
  expect(select({ taskclusterProxy: true }, { taskclusterProxy: { enabled: false } })).toEqual({
    used: ['artifacts', 'localLiveLog'],
    problems: [
      {
        path: 'payload.features.taskclusterProxy',
        message: 'taskclusterProxy is not enabled on this worker',
      },
    ],
  });
});

test('to name a feature that the worker has switched off is a problem even with false', () => {
  expect(select({ artifacts: false }, { artifacts: { enabled: false } }).problems).toEqual([
    { path: 'payload.features.artifacts', message: 'artifacts is not enabled on this worker' },
  ]);
});

test('a default feature that the worker has switched off is left out without a problem', () => {
  expect(select({}, { artifacts: { enabled: false } })).toEqual({ used: ['localLiveLog'], problems: [] });
});

test('all problems are told at once', () => {
  const { problems } = select({ one: true, two: true, artifacts: true }, { artifacts: { enabled: false } });

  expect(problems.map(({ path }) => path)).toEqual([
    'payload.features.one',
    'payload.features.two',
    'payload.features.artifacts',
  ]);
});

test.each([null, 'text', 7, [], { features: null }, { features: 'all' }])(
  'a payload that is not even one (%j) selects the defaults, so that its log is kept',
  (payload) => {
    const { used } = selectFeatures(payload, config({}));

    expect(used.map(({ name }) => name)).toContain('localLiveLog');
  },
);

test.each(['constructor', '__proto__', 'toString'])('%s is an unknown feature like any other', (name) => {
  const features = JSON.parse(`{"${name}": true}`);

  expect(select(features).problems).toHaveLength(1);
});

function select(features: object, offered: Record<string, { enabled: boolean }> = {}) {
  const { used, problems } = selectFeatures({ features }, config(offered));
  return { used: used.map(({ name }) => name), problems };
}

function config(features: Record<string, { enabled: boolean }>): WorkerConfig {
  return testConfig({ features });
}
