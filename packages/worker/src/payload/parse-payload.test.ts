import { describe, expect, test } from '@jest/globals';
import { payloadSchemaFor } from '../features/payload-schema.ts';
import { problemLine } from '../problem.ts';
import { parsePayload, unknownFeatures } from './parse-payload.ts';
import { malformedPayloadText } from './schema-messages.ts';

const schema = payloadSchemaFor();
const task = { expires: '2030-01-01T00:00:00Z' };
const minimal = { image: 'ubuntu:24.04', maxRunTime: 60 };

function linesFor(payload: unknown): string[] {
  return parsePayload(payload, schema, task).problems.map(problemLine);
}

test.each([
  [{ env: { '': 'x' } }, 'payload.env', 'the name of a variable'],
  [{ env: { 'A=B': 'x' } }, 'A=B', 'the name of a variable'],
  [{ env: { A: 'x\0y' } }, 'payload.env.A', 'text without a NUL byte'],
  [{ command: ['echo', 'x\0y'] }, 'payload.command[1]', 'text without a NUL byte'],
])('%j, which no program can be given, is refused with its path', (part, path, expected) => {
  const { problems } = parsePayload({ ...minimal, ...part }, schema, task);
  expect(problems).toHaveLength(1);
  expect(problems[0]?.path).toContain(path);
  expect(problems[0]?.message).toContain(expected);
});

test('a valid payload comes with its defaults', () => {
  expect(parsePayload(minimal, schema, task)).toEqual({
    payload: {
      ...minimal,
      command: [],
      env: {},
      cache: {},
      artifacts: {},
      features: {},
      log: 'public/logs/live.log',
    },
    problems: [],
  });
});

test('features that the payload does not name are not filled in', () => {
  const { payload } = parsePayload({ ...minimal, features: { interactive: false } }, schema, task);

  expect(payload?.features).toEqual({ interactive: false });
});

describe('each problem says where it is, what was found and how to mend it', () => {
  test.each<[object, string]>([
    [
      { maxRunTime: '60' },
      "payload.maxRunTime: found the text '60', expected a whole number; write 60 without quotes",
    ],
    [{ maxRunTime: 1.5 }, 'payload.maxRunTime: found the number 1.5, expected a whole number such as 3600'],
    [{ maxRunTime: 0 }, 'payload.maxRunTime: found the number 0, expected at least 1'],
    [{ maxRunTime: undefined }, 'payload.maxRunTime: missing; add it, for example maxRunTime: 3600'],
    [{ image: undefined }, 'payload.image: missing; add it, for example image: ubuntu:24.04'],
    [
      { image: ['ubuntu'] },
      'payload.image: found a list, expected the name of a Docker image such as ubuntu:24.04, or a mapping with type',
    ],
    [
      { image: { type: 'task-imag' } },
      "payload.image.type: found the text 'task-imag', expected one of docker-image, indexed-image, task-image; did you mean 'task-image'?",
    ],
    [
      { image: { name: 'a' } },
      'payload.image.type: missing, expected one of docker-image, indexed-image, task-image',
    ],
    [{ image: { type: 'docker-image' } }, 'payload.image.name: missing; add it'],
    [{ env: { CI: true } }, 'payload.env.CI: found true, expected a text; write it in quotes: "true"'],
    [{ env: null }, 'payload.env: found nothing, expected a mapping'],
    [{ command: 'ls' }, "payload.command: found the text 'ls', expected a list; write ['ls']"],
    [{ cmd: [] }, "payload.cmd: unknown key; did you mean 'command'?"],
    [{ maxRuntime: 5 }, "payload.maxRuntime: unknown key; did you mean 'maxRunTime'?"],
    [{ taskclusterProxy: true }, 'payload.taskclusterProxy: unknown key; move it into payload.features'],
    [
      { features: { interactive: 'True' } },
      "payload.features.interactive: found the text 'True', expected true or false; write true without quotes",
    ],
    [
      { artifacts: { 'a.txt': { type: 'fil', path: '/a' } } },
      `payload.artifacts["a.txt"].type: found the text 'fil', expected one of file, directory, volume; did you mean 'file'?`,
    ],
    [
      { artifacts: { a: { type: 'file', path: '/a', expires: 'tomorrow' } } },
      "payload.artifacts.a.expires: found the text 'tomorrow', expected a date with time and zone such as 2030-01-31T12:00:00Z",
    ],
    [
      { artifacts: { a: { type: 'file', path: '/a', expires: '2030-01-01T00:00:00.001Z' } } },
      'payload.artifacts.a.expires: 2030-01-01T00:00:00.001Z must not be greater than task expiration 2030-01-01T00:00:00Z; choose an earlier time or leave it out',
    ],
    [
      { image: 'a/../../169.254.169.254/latest' },
      "payload.image: found the text 'a/../../169.254.169.254/latest', expected the name of a Docker image such as ubuntu:24.04",
    ],
    [
      { image: { type: 'docker-image', name: 'http://x' } },
      "payload.image.name: found the text 'http://x', expected the name of a Docker image such as ubuntu:24.04",
    ],
    [
      { image: { type: 'task-image', taskId: '..', path: 'public/a.tar' } },
      'payload.image.taskId: found the text \'..\', expected the id of a task: 22 letters, digits, "_" and "-"',
    ],
    [
      { image: { type: 'task-image', taskId: 'fN1SbArXTPSVFNUvaOlinQ', path: '..' } },
      `payload.image.path: found the text '..', expected the name of an artifact, which is 1 to 1024 printable ASCII characters and neither "." nor ".."`,
    ],
    [
      { image: { type: 'indexed-image', namespace: '..', path: 'public/a.tar' } },
      "payload.image.namespace: found the text '..', expected a namespace of the index such as project.images.v1.latest",
    ],
    [
      { artifacts: { '..': { type: 'file', path: '/a' } } },
      `payload.artifacts[".."]: found the text '..', expected the name of an artifact, which is 1 to 1024 printable ASCII characters and neither "." nor ".."`,
    ],
    [
      { log: 'a\nb' },
      `payload.log: found the text 'a b', expected the name of an artifact, which is 1 to 1024 printable ASCII characters and neither "." nor ".."`,
    ],
    [
      JSON.parse('{ "cache": { "__proto__": "/a" } }'),
      'payload.cache.__proto__: nothing may be called __proto__; choose another name',
    ],
    [
      JSON.parse('{ "env": { "__proto__": "a" } }'),
      'payload.env.__proto__: nothing may be called __proto__; choose another name',
    ],
    [
      JSON.parse('{ "artifacts": { "__proto__": { "type": "file", "path": "/a" } } }'),
      'payload.artifacts.__proto__: nothing may be called __proto__; choose another name',
    ],
    [
      JSON.parse('{ "features": { "__proto__": true } }'),
      'payload.features.__proto__: nothing may be called __proto__; choose another name',
    ],
    [
      { capabilities: { devices: { phone: { type: 'a', sims: '1', build: 'b' } } } },
      'payload.capabilities.devices.phone.memory: missing; add it',
    ],
    [
      { features: { balrogVPNProxy: true, balrogStageVPNProxy: true } },
      'payload.features.balrogStageVPNProxy: cannot be used together with balrogVPNProxy: both answer at http://balrog; choose one',
    ],
  ])('%j', (change, line) => {
    expect(linesFor({ ...minimal, ...change })).toEqual([line]);
  });
});

test('a payload that is no mapping is one problem', () => {
  expect(linesFor(['ls'])).toEqual(['payload: found a list, expected a mapping']);
});

test('an artifact may expire together with its task', () => {
  const artifacts = { a: { type: 'file', path: '/a', expires: task.expires } };

  expect(linesFor({ ...minimal, artifacts })).toEqual([]);
});

test('all problems are found at once', () => {
  const payload = {
    image: { type: 'docker-image' },
    maxRunTime: 'long',
    cmd: [],
    onExitStatus: { retry: ['1'] },
    artifacts: { a: { type: 'file', path: 1, expires: '2031-01-01T00:00:00Z' } },
  };

  expect(parsePayload(payload, schema, task).problems.map(({ path }) => path)).toEqual([
    'payload.image.name',
    'payload.maxRunTime',
    'payload.artifacts.a.path',
    'payload.onExitStatus.retry[0]',
    'payload.cmd',
    'payload.artifacts.a.expires',
  ]);
});

test('unknown features are named, and are no problem of the payload', () => {
  const payload = { ...minimal, features: { interactive: true, azureLiveLog: true, x: 'y' } };

  expect(unknownFeatures(payload, schema)).toEqual(['azureLiveLog', 'x']);
  expect(parsePayload(payload, schema, task).payload?.features).toEqual({ interactive: true });
  expect(payload.features).toHaveProperty('azureLiveLog');
});

test.each([undefined, null, [], 'text', { features: [] }, { features: null }])(
  'there are no unknown features in %j',
  (payload) => {
    expect(unknownFeatures(payload, schema)).toEqual([]);
  },
);

describe('the log names broken rules in the words of JSON-schema validators', () => {
  test.each<[object, string]>([
    [{ maxRunTime: 'text' }, 'data/maxRunTime should be integer'],
    [{ maxRunTime: 0 }, 'data/maxRunTime should be >= 1'],
    [{ onExitStatus: { retry: ['1'] } }, 'data/onExitStatus/retry/0 should be integer'],
    [{ image: undefined }, "data should have required property 'image'"],
    [{ cmd: [] }, 'data should NOT have additional properties'],
    [{ capabilities: { gpu: true } }, 'data/capabilities should NOT have additional properties'],
    [{ env: { A: 1 } }, 'data/env/A should be string'],
    [{ env: [] }, 'data/env should be object'],
    [{ features: { dind: 1 } }, 'data/features/dind should be boolean'],
    [{ image: {} }, 'data/image should match exactly one schema in oneOf'],
    [
      { artifacts: { 'public/a': { type: 'x', path: '/a' } } },
      'data/artifacts/public~1a/type should be equal to one of the allowed values',
    ],
  ])('%j', (change, rule) => {
    const text = malformedPayloadText(parsePayload({ ...minimal, ...change }, schema, task).problems);
    const [head, ...json] = text.split('\n');

    expect(head).toBe('`task.payload` format is invalid json schema errors:');
    expect(JSON.parse(json.join('\n'))).toEqual([expect.any(String)]);
    expect(text).toContain(`\n  "${rule} (payload`);
  });
});

test('an artifact that would have expired before it is made is found before the task runs', () => {
  const artifacts = { a: { type: 'file', path: '/a', expires: '2020-01-01T00:00:00Z' } };

  expect(linesFor({ ...minimal, artifacts })).toEqual([
    'payload.artifacts.a.expires: 2020-01-01T00:00:00Z is over; choose a later time, or leave it out for that of the task',
  ]);
});
