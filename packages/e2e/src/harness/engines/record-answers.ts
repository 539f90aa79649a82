import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import type { EngineEvent } from '../host/engine-events.ts';
import { makeTinyImage } from '../images/tiny-image.ts';
import { allEngines } from './all-engines.ts';
import type { TestEngine } from './test-engine.ts';

/**
 * Writes down what an engine answers, as far as the worker looks: `node record-answers.ts ENGINE...`. The unit tests
 * of the worker read it.
 */
const folder = join(import.meta.dirname, '../../../../worker/src/engine/testing/recorded');

/** Of what an engine says of its host, which is nobody's business, what somebody looks at. */
const facts = [
  ...['OperatingSystem', 'DockerRootDir', 'Driver', 'SecurityOptions', 'CgroupVersion', 'Rootless'],
  ...['MemoryLimit', 'CpuCfsPeriod', 'CpuCfsQuota', 'CPUSet', 'PidsLimit', 'ServerVersion'],
];

for (const name of process.argv.slice(2)) {
  const kind = allEngines[name];
  if (kind === undefined) throw new Error(`${name} is none of ${Object.keys(allEngines).join(', ')}`);
  await using engine = await kind.start();
  const answers = await record(engine);
  await writeFile(join(folder, `${name}.json`), `${JSON.stringify(answers, undefined, 2)}\n`);
}

interface Answer {
  status: number;
  body: unknown;
}

async function record(engine: TestEngine): Promise<Record<string, unknown>> {
  const socketPath = engine.outside((engine.env.DOCKER_HOST ?? '').replace('unix://', ''));
  const version = await ask('GET', '/version');
  const api = `/v${(version.body as { ApiVersion: string }).ApiVersion}`;
  const image = 'docker-worker-recorded:latest';
  const { archive } = await makeTinyImage('recorded', { repoTags: [image] });
  const absent = 'f'.repeat(64);
  using events = await follow({ type: ['container'], label: ['docker-worker.recorded=yes'] });
  using askedEvents = await follow({ event: ['die', 'died', 'oom'], label: ['docker-worker.recorded=yes'] });
  const loaded = await ask('POST', `${api}/images/load?quiet=1`, archive);
  const created = await ask('POST', `${api}/containers/create`, {
    Image: image,
    Cmd: ['sh', '-c', 'exit 3'],
    Labels: { 'docker-worker.recorded': 'yes' },
  });
  const { Id: id } = created.body as { Id: string };
  const subnet = { IPAM: { Config: [{ Subnet: '172.29.0.0/28', Gateway: '172.29.0.1' }] } };
  const network = await ask('POST', `${api}/networks/create`, {
    Name: 'recorded',
    Driver: 'bridge',
    ...subnet,
  });
  const { Id: networkId } = network.body as { Id: string };
  const started = await ask('POST', `${api}/containers/${id}/start`);
  const waited = await ask('POST', `${api}/containers/${id}/wait?condition=not-running`);
  const inspected = await ask('GET', `${api}/containers/${id}/json`);
  const runs = await container(['sleep', '600'], { NetworkMode: networkId });
  await ask('POST', `${api}/containers/${runs}/start`);
  const answers = {
    loaded,
    'invalid archive': await ask('POST', `${api}/images/load?quiet=1`, Buffer.alloc(10_240, 'no archive')),
    'absent container': await ask('GET', `${api}/containers/${absent}/json`),
    'removal of an absent container': await ask('DELETE', `${api}/containers/${absent}?force=1`),
    'wait for an absent container': await ask('POST', `${api}/containers/${absent}/wait?condition=removed`),
    'absent image': await ask('GET', `${api}/images/${absent.slice(1)}x:latest/json`),
    'container of an absent image': await ask('POST', `${api}/containers/create`, { Image: 'absent:latest' }),
    'image in use': await ask('DELETE', `${api}/images/${image}`),
    'network that overlaps': await ask('POST', `${api}/networks/create`, {
      Name: 'other',
      Driver: 'bridge',
      ...subnet,
    }),
    'absent network': await ask('DELETE', `${api}/networks/${absent}`),
    'network in use': await ask('DELETE', `${api}/networks/${networkId}`),
    'absent file': await ask('GET', `${api}/containers/${id}/archive?path=/absent`),
    'exec in a container that has ended': await ask('POST', `${api}/containers/${id}/exec`, {
      Cmd: ['true'],
    }),
    'kill of a container that has ended': await ask('POST', `${api}/containers/${id}/kill`),
    'pull from a registry that is not there': await ask(
      'POST',
      `${api}/images/create?fromImage=127.0.0.1:9/recorded&tag=latest`,
    ),
    'mount of an absent file': await ask('POST', `${api}/containers/create`, {
      Image: image,
      Cmd: ['true'],
      HostConfig: { Mounts: [{ Type: 'bind', Source: '/tmp/absent-file', Target: '/absent' }] },
    }),
    'start of an absent command': await startOf(['absent-command'], {}),
    'attach to an absent command': await attachTo(['absent-command']),
    'version that is too old': await ask('GET', '/v1.11/version'),
    'version that is too new': await ask('GET', '/v9.99/version'),
    'removal of the container twice at once': await Promise.all(
      [1, 2].map(() => ask('DELETE', `${api}/containers/${runs}?force=1&v=1`)),
    ),
  };
  await ask('DELETE', `${api}/containers/${id}?force=1`);
  await ask('DELETE', `${api}/networks/${networkId}`);
  const inspectedBody = inspected.body as Record<string, object>;
  return {
    version: pick(version.body, ['Version', 'ApiVersion', 'MinAPIVersion', 'Components']),
    info: pick((await ask('GET', '/info')).body, facts),
    created,
    started,
    waited,
    inspected: {
      ...pick(inspectedBody, ['Id', 'Name', 'State', 'Image']),
      Config: pick(inspectedBody.Config, ['Entrypoint', 'Cmd', 'Labels']),
    },
    events: (await events.until(({ Action }) => /^(destroy|remove)$/.test(Action))).map(
      ({ Action }) => Action,
    ),
    'events that are asked for': askedEvents.seen,
    answers,
  };

  async function container(Cmd: string[], HostConfig: object): Promise<string> {
    const made = await ask('POST', `${api}/containers/create`, { Image: image, Cmd, HostConfig });
    return (made.body as { Id: string }).Id;
  }

  async function startOf(command: string[], hostConfig: object): Promise<Answer> {
    const made = await container(command, hostConfig);
    const answer = await ask('POST', `${api}/containers/${made}/start`);
    await ask('DELETE', `${api}/containers/${made}?force=1`);
    return answer;
  }

  async function attachTo(command: string[]): Promise<Answer> {
    const made = await container(command, {});
    const sent = request({
      ...{ socketPath, method: 'POST', path: `${api}/containers/${made}/attach?stream=1&stdout=1` },
      headers: { connection: 'Upgrade', upgrade: 'tcp' },
    }).end();
    const answer = await Promise.race([
      once(sent, 'upgrade').then(([response, socket]) => {
        socket.destroy();
        return { status: (response as IncomingMessage).statusCode ?? 0, body: null };
      }),
      once(sent, 'response').then(([response]) => answerOf(response)),
    ]);
    await ask('DELETE', `${api}/containers/${made}?force=1`);
    return answer;
  }

  async function follow(filters: object) {
    const path = `${api}/events?filters=${encodeURIComponent(JSON.stringify(filters))}`;
    const sent = request({ socketPath, path }).end();
    const lines = Promise.withResolvers<ReturnType<typeof createInterface>>();
    const seen: EngineEvent[] = [];
    sent.once('response', (response: IncomingMessage) => {
      response.on('error', () => {});
      const input = createInterface({ input: response });
      input.on('error', () => {}).on('line', (line) => line && seen.push(JSON.parse(line)));
      lines.resolve(input);
    });
    sent.on('error', lines.reject);
    const input = await lines.promise;
    return {
      seen,
      async until(isLast: (event: EngineEvent) => boolean) {
        while (!seen.some(isLast)) await once(input, 'line');
        return seen;
      },
      [Symbol.dispose]: () => void sent.destroy(),
    };
  }

  async function ask(method: string, path: string, body?: object | Buffer): Promise<Answer> {
    const isArchive = Buffer.isBuffer(body);
    const sent = request({
      ...{ socketPath, method, path },
      headers: body && { 'content-type': isArchive ? 'application/x-tar' : 'application/json' },
    }).end(isArchive || body === undefined ? body : JSON.stringify(body));
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    return await answerOf(response);
  }
}

async function answerOf(response: IncomingMessage): Promise<Answer> {
  const said = await text(response);
  try {
    return { status: response.statusCode ?? 0, body: said === '' ? null : JSON.parse(said) };
  } catch {
    return { status: response.statusCode ?? 0, body: said };
  }
}

function pick(from: unknown, keys: string[]): object {
  return Object.fromEntries(Object.entries(from as object).filter(([key]) => keys.includes(key)));
}
