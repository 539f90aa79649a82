import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { TestSocket } from '@docker-worker/exec-ws-server/testing/socket';
import { runV1, v1Client } from '@docker-worker/exec-ws-server/testing/v1-client';
import { selfSigned } from '@docker-worker/service-kit/testing/self-signed';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Deployment, startDeployment } from '../harness/deployment.ts';
import { type EngineEvent, EngineEvents } from '../harness/host/engine-events.ts';
import { docker } from '../harness/host/host-contents.ts';
import { runContainers } from '../harness/host/run-containers.ts';
import { makeTinyImage, type TinyImage } from '../harness/images/tiny-image.ts';
import { logShows } from '../harness/log-shows.ts';
import { shellLink } from '../harness/shell-link.ts';
import { makeTempDir, type TempDir } from '../harness/temp-dir.ts';
import { startTestWorker, type TestWorker } from '../harness/test-worker.ts';

let deployment: Deployment;
let state: TempDir;
beforeAll(async () => {
  [deployment, state] = await Promise.all([startDeployment(), makeTempDir()]);
});
afterAll(async () => {
  await deployment[Symbol.asyncDispose]();
  await state[Symbol.asyncDispose]();
});

function startWorker(interactive: object = {}, settings: object = {}): Promise<TestWorker> {
  return startTestWorker(deployment, {
    host: '127.0.0.1',
    stateDirectory: state.path,
    // However slow this machine is, people come in time; a test tells when nobody is to be waited for any more.
    interactive: { minTime: 60, expirationAfterSession: 0, address: '127.0.0.1', ...interactive },
    ...settings,
  });
}

function createTask(command: string[], payload: object = {}): Promise<string> {
  return deployment.createTask({ features: { interactive: true }, command, ...payload });
}

/** A shell in the task that waits for its standard input to end. */
async function openSession(socket: string) {
  const client = v1Client(socket, ['cat']);
  await client.execute();
  return client;
}

const shellLess = 'docker-worker-test/shell-less:1';
const completed = { resolution: { kind: 'completed' }, exitCode: 0 };

test('both artifacts lead to the shell, and the published client sends a mebibyte through it', async () => {
  await using worker = await startWorker();
  const taskId = await createTask(['true'], { maxRunTime: 100 });
  const [link, other] = await Promise.all([
    shellLink(deployment, worker, taskId),
    shellLink(deployment, worker, taskId, 'private/docker-worker/shell.html'),
  ]);

  expect(other.page).toBe(link.page);
  expect(link.page).toMatch(
    new RegExp(`^http://127\\.0\\.0\\.1:\\d+/[\\w-]{22}/\\?v=1&.*taskId=${taskId}&runId=0$`),
  );
  // maxRunTime and a quarter of an hour.
  const minutes = (link.expires.getTime() - Date.now()) / 60_000;
  expect(minutes).toBeGreaterThan(16);
  expect(minutes).toBeLessThan(17);

  const sent = randomBytes(1024 * 1024);
  const { stdout, exitCode } = await runV1(link.socket, ['cat'], { talk: ({ stdin }) => stdin.end(sent) });
  expect(stdout.equals(sent)).toBe(true);
  expect(exitCode).toBe(0);
  await worker.leave(taskId);
  expect(await worker.outcome(taskId)).toEqual(completed);
});

test('the link is private, and its secret is in no log and on no command line', async () => {
  await using worker = await startWorker();
  const taskId = await createTask(['bash', '-c', 'cat /proc/*/cmdline /proc/*/environ']);
  const { secret } = await shellLink(deployment, worker, taskId);
  const name = 'private/docker-worker/interactive.html';
  const refused = await fetch(deployment.queue.buildUrl(deployment.queue.getArtifact, taskId, 0, name), {
    redirect: 'manual',
  });
  const containers = JSON.stringify([...(await runContainers(`${taskId}/0`)).values()]);
  await worker.leave(taskId);
  await worker.outcome(taskId);

  expect(refused.status).toBe(403);
  expect(secret).toHaveLength(22);
  expect(worker.log()).toContain('create websocket server at');
  for (const place of [containers, worker.log(), await deployment.taskLog(taskId)]) {
    expect(place).not.toContain(secret);
  }
});

test('a person keeps the container, artifacts show what that person did, and the task’s exit code stands', async () => {
  await using worker = await startWorker({ minTime: 1 });
  const taskId = await createTask(
    ['bash', '-c', 'echo before > /result; until [ -e /go ]; do sleep 0.1; done; exit 3'],
    {
      artifacts: {
        'public/result': { type: 'file', path: '/result', expires: new Date(Date.now() + 60_000).toJSON() },
      },
    },
  );
  const { socket } = await shellLink(deployment, worker, taskId);
  const session = await openSession(socket);
  const run = await worker.run(taskId);
  await runV1(socket, ['touch', '/go']);
  await logShows(
    run,
    'The command has ended with exit code 3. The container stays while somebody is connected',
  );
  // Past minTime.
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  expect((await deployment.queue.status(taskId)).status.state).toBe('running');
  await runV1(socket, ['sh', '-c', 'echo after > /result']);
  session.close();

  expect(await worker.outcome(taskId)).toEqual({ resolution: { kind: 'failed' }, exitCode: 3 });
  const { queue } = deployment;
  const artifact = await fetch(queue.buildUrl(queue.getArtifact, taskId, 0, 'public/result'));
  expect(await artifact.text()).toBe('after\n');
});

test('a container that nobody wants ends after minTime, and with it the link', async () => {
  // So that no shared folder is that of a service made ahead.
  await using worker = await startWorker({ minTime: 8 }, { warm: { units: 0 } });
  const started = Date.now();
  const taskId = await createTask(['true']);
  const { socket } = await shellLink(deployment, worker, taskId);
  expect((await runV1(socket, ['pwd'])).stdout.toString()).toBe('/\n');

  expect(await worker.outcome(taskId)).toEqual(completed);
  expect(Date.now() - started).toBeGreaterThan(8_000);
  expect(await deployment.taskLog(taskId)).toMatch(
    /interactive: The command has ended with exit code 0\. The container stays until \d{4}-\d\d-\d\d [\d:.]+Z for people/,
  );
  await expect(TestSocket.open(socket)).rejects.toThrow('ECONNREFUSED');
  expect(await readdir(join(state.path, 'shared'))).toEqual([]);
});

test('the container stays for expirationAfterSession once the last person has left', async () => {
  await using worker = await startWorker({ minTime: 0, expirationAfterSession: 2 });
  const taskId = await createTask(['bash', '-c', 'until [ -e /go ]; do sleep 0.1; done']);
  const { socket } = await shellLink(deployment, worker, taskId);
  const session = await openSession(socket);
  await runV1(socket, ['touch', '/go']);
  const run = await worker.run(taskId);
  await logShows(run, 'and 2 seconds longer');
  session.close();
  await logShows(run, 'Nobody is connected any more; the container stays until');
  const left = Date.now();
  expect(await worker.outcome(taskId)).toEqual(completed);
  expect(Date.now() - left).toBeGreaterThan(1_500);
});

test('maxRunTime ends a command as ever, whoever is connected', async () => {
  await using worker = await startWorker();
  const taskId = await createTask(['sleep', '100'], { maxRunTime: 10 });
  const { socket } = await shellLink(deployment, worker, taskId);
  const session = await openSession(socket);
  const [exitCode] = await once(session, 'exit');

  expect(await worker.outcome(taskId)).toEqual({ resolution: { kind: 'failed' }, exitCode: -1 });
  expect(await deployment.taskLog(taskId)).toContain('Task timeout after 10 seconds');
  // 137, which this client takes for a signed number.
  expect(exitCode).toBe(-119);
});

test('maxRunTime ends a stay as well, and the task’s own exit code stands', async () => {
  await using worker = await startWorker();
  const taskId = await createTask(['bash', '-c', 'exit 4'], { maxRunTime: 10 });
  const { socket } = await shellLink(deployment, worker, taskId);
  const session = await openSession(socket);
  await once(session, 'exit');

  expect(await worker.outcome(taskId)).toEqual({ resolution: { kind: 'failed' }, exitCode: 4 });
  const log = await deployment.taskLog(taskId);
  expect(log).toContain('interactive: The maxRunTime is over; the container ends.');
  expect(log).not.toContain('Task timeout');
});

test('an image without a shell runs by its entry point, and people get a shell all the same', async () => {
  const image = await makeTinyImage('marker', {
    repoTags: [shellLess],
    tools: ['cat'],
    entrypoint: ['/bin/cat', '-n'],
  });
  await using _image = await loadImage(image, shellLess);
  await using worker = await startWorker();
  const taskId = await createTask([], { image: shellLess });
  const { socket, secret } = await shellLink(deployment, worker, taskId);
  const missing = await runV1(socket, ['/bin/sh']);
  expect(missing.exitCode === 126 || missing.exitCode === 127).toBe(true);

  const shell = await TestSocket.open(socket.replace(`${secret}/shell.sock`, `shell/${secret}`));
  shell.send(Buffer.from('\u0001echo sum-$((20+22)); exit\r'));
  await shell.until(() => shell.text.includes('sum-42'));
  await shell.closed;
  await worker.leave(taskId);

  expect(await worker.outcome(taskId)).toEqual(completed);
  expect(await deployment.taskLog(taskId)).toContain('1\tmarker');
});

test('the command notices nothing: environment, arguments, signals and terminal are its own', async () => {
  await using worker = await startWorker({ minTime: 0 });
  const look = [
    'bash',
    '-c',
    `tr '\\0' '\\n' < /proc/self/environ | grep -v -E '^(TASK_ID|HOSTNAME|TASKCLUSTER_)' | sort
     grep -E 'Sig(Blk|Ign|Cgt)' /proc/self/status; tty; test -t 0 && test -t 1 && echo terminal; printf '<%s>' "$0" "$@"; pwd; id`,
    'an argument',
    '',
    '$HOME "quoted" \\\\ *',
  ];
  const payload = { env: { name: 'kept', IFS: 'x', _task_name: 'kept' } };
  const [plain, interactive] = await Promise.all([
    createTask(look, { ...payload, features: {} }),
    createTask(look, payload),
  ]);
  await Promise.all([worker.outcome(plain), worker.outcome(interactive)]);

  expect(await outputOf(interactive)).toBe(await outputOf(plain));
  expect(await outputOf(plain)).toContain('<$HOME "quoted" \\\\ *>');
});

test('signals reach the command, and its answer to them is the exit code', async () => {
  await using worker = await startWorker({ minTime: 0 });
  const taskId = await createTask([
    'bash',
    '-c',
    'trap "echo heard; exit 9" TERM; echo set; while :; do sleep 0.1; done',
  ]);
  await logShows(await worker.run(taskId), 'set');
  await taskContainer(taskId).then((container) => container.kill({ signal: 'TERM' }));

  expect(await worker.outcome(taskId)).toEqual({ resolution: { kind: 'failed' }, exitCode: 9 });
  expect(await deployment.taskLog(taskId)).toContain('heard');
});

test('a command that a signal ends, or that is not there, leaves the usual exit code and one line', async () => {
  await using worker = await startWorker({ minTime: 0 });
  const [killed, missing] = await Promise.all([
    createTask(['bash', '-c', 'kill -KILL $$']),
    createTask(['no-such-program', 'x']),
  ]);

  expect((await worker.outcome(killed)).exitCode).toBe(137);
  expect((await worker.outcome(missing)).exitCode).toBe(127);
  expect(await outputOf(killed)).toBe('');
  expect(await outputOf(missing)).toBe('no-such-program: not found\r\n');
});

test('a variable that no shell would take for one is told of', async () => {
  await using worker = await startWorker({ minTime: 0 });
  const taskId = await createTask(['true'], { env: { 'a.b': '1' } });
  await worker.outcome(taskId);
  expect(await deployment.taskLog(taskId)).toContain('interactive: the command does not see a.b');
});

test('the service can do nothing with the engine but run commands in its one container', async () => {
  await using worker = await startWorker();
  const taskId = await createTask(['true']);
  await shellLink(deployment, worker, taskId);
  const containers = await runContainers(`${taskId}/0`);
  const sidecar = containers.get('sidecar:exec-ws-server');
  const task = containers.get('task');
  const ask = `
    const ask = (method, path) => new Promise((resolve) => require('node:http')
      .request({ socketPath: '/run/docker-worker/engine.sock', method, path }, (answer) => resolve(answer.statusCode))
      .on('error', (error) => resolve(error.code)).end());
    (async () => console.log(JSON.stringify([
      await ask('GET', '/containers/json'), await ask('POST', '/containers/create'),
      await ask('POST', '/containers/${sidecar?.Id}/exec'), await ask('POST', '/containers/${task?.Id}/kill'),
    ])))()`;
  const exec = await docker
    .getContainer(sidecar?.Id ?? '')
    .exec({ Cmd: ['node', '-e', ask], AttachStdout: true, Tty: true });
  const answers = [];
  for await (const chunk of await exec.start({ Tty: true })) {
    answers.push(chunk);
  }

  expect(JSON.parse(Buffer.concat(answers as Buffer[]).toString())).toEqual([403, 403, 403, 403]);
  expect(sidecar?.HostConfig.Binds).toEqual([expect.stringMatching(/:\/run\/docker-worker:ro$/)]);
  expect(JSON.stringify(task?.HostConfig.Binds)).not.toContain('/run/docker-worker');
  await worker.leave(taskId);
  await worker.outcome(taskId);
});

test('another run’s secret opens nothing', async () => {
  await using worker = await startWorker();
  const [first, second] = await Promise.all([createTask(['true']), createTask(['true'])]);
  const [own, other] = await Promise.all([
    shellLink(deployment, worker, first),
    shellLink(deployment, worker, second),
  ]);
  expect(own.secret).not.toBe(other.secret);
  const wrong = new URL(own.socket.replace(own.secret, other.secret));
  await expect(TestSocket.open(wrong.href)).rejects.toThrow('400');
  wrong.pathname = `/shell/${other.secret}`;
  await expect(TestSocket.open(wrong.href)).rejects.toThrow('401');
  await Promise.all([first, second].map((taskId) => worker.leave(taskId)));
  await Promise.all([worker.outcome(first), worker.outcome(second)]);
});

test('with a certificate the page is served by TLS', async () => {
  await using folder = await makeTempDir();
  const { cert, key } = selfSigned();
  const ssl = { certificate: join(folder.path, 'cert.pem'), key: join(folder.path, 'key.pem') };
  await Promise.all([writeFile(ssl.certificate, cert), writeFile(ssl.key, key)]);
  await using worker = await startWorker({}, { ssl });
  const taskId = await createTask(['true']);
  const { page, socket } = await shellLink(deployment, worker, taskId);

  expect(page).toMatch(/^https:/);
  expect(socket).toMatch(/^wss:/);
  expect((await runV1(socket, ['echo', 'safe'])).stdout.toString()).toBe('safe\n');
  await worker.leave(taskId);
  expect(await worker.outcome(taskId)).toEqual(completed);
});

test('a certificate that cannot be used gives the task back before it starts, and the log names it', async () => {
  await using worker = await startWorker({}, { ssl: { certificate: '/no/cert.pem', key: '/no/key.pem' } });
  const payload = { features: { interactive: true }, command: ['true'] };
  const taskId = await deployment.createTask(payload, { retries: 0 });

  expect(await worker.outcome(taskId)).toEqual({
    resolution: { kind: 'exception', reason: 'worker-shutdown' },
    exitCode: -1,
  });
  const log = await deployment.taskLog(taskId);
  expect(log).toContain('Task was aborted because states could not be created successfully.');
  expect(log).toContain('ssl.certificate: /no/cert.pem cannot be read (ENOENT).');
  expect(log).not.toContain('Task Starting');
});

test('a task takes a server that was started before its claim', async () => {
  await using events = await EngineEvents.open();
  await using worker = await startWorker({}, { warm: { units: 1, features: ['interactive'] } });
  const { ID: warm } = (await events.matching(isWarmServer)).Actor;
  const taskId = await createTask(['true']);
  const { socket } = await shellLink(deployment, worker, taskId);

  expect((await runContainers(`${taskId}/0`)).get('sidecar:exec-ws-server')?.Id).toBe(warm);
  expect((await runV1(socket, ['echo', 'warm'])).stdout.toString()).toBe('warm\n');
  await worker.leave(taskId);
  expect(await worker.outcome(taskId)).toEqual(completed);
});

async function taskContainer(taskId: string) {
  return docker.getContainer((await runContainers(`${taskId}/0`)).get('task')?.Id ?? '');
}

/** What the command has printed, by the log. */
async function outputOf(taskId: string): Promise<string> {
  const log = await deployment.taskLog(taskId);
  const between =
    /=== Task Starting ===\n(.*)\[taskcluster [^\]]*\] === Task Finished/s.exec(log)?.[1] ?? log;
  return between.replace(/^\[taskcluster [^\]]*\] interactive: .*\n/gm, '');
}

function isWarmServer({ Action: action, Actor: { Attributes: labels } }: EngineEvent): boolean {
  return (
    action === 'start' &&
    labels['docker-worker.task-run'] === 'warm' &&
    labels['docker-worker.role'] === 'sidecar:exec-ws-server'
  );
}

async function loadImage({ archive }: TinyImage, name: string) {
  const progress = await docker.loadImage(Readable.from([archive]));
  await finished(progress.resume());
  return { [Symbol.asyncDispose]: async () => void (await docker.getImage(name).remove()) };
}
