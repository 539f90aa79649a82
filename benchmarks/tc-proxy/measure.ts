import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Agent, get, request } from 'node:http';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { otherCore, proxyCore } from './contenders.ts';
import type { PinnedProcess } from './pinned-process.ts';

const run = promisify(execFile);

export interface Load {
  requestsPerSecond: number;
  p99Ms: number;
  /** CPU time of the proxy for one request: unlike the others, hardly changed by what else the machine does. */
  cpuMicros: number;
  failures: number;
}

/** GETs of a small JSON on kept connections, by `wrk`. */
export async function measureLoad(proxy: PinnedProcess, connections: number, seconds: number): Promise<Load> {
  const cpuBefore = proxy.cpuSeconds();
  const url = `http://127.0.0.1:${proxy.port}/api/queue/v1/task/AAAAAAAAAAAAAAAAAAAAAA/status`;
  const argv = ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '10s', '--latency', url];
  const { stdout } = await run('taskset', ['-c', String(otherCore), 'wrk', ...argv], {
    timeout: (seconds + 60) * 1000,
  });
  const count = Number(/(\d+) requests in/.exec(stdout)?.[1]);
  const [, p99 = '', unit = ''] = /99%\s+([\d.]+)(us|ms|s)/.exec(stdout) ?? [];
  const toMs = { us: 0.001, ms: 1, s: 1000 }[unit] ?? Number.NaN;
  const failures = Number(/Non-2xx or 3xx responses: (\d+)/.exec(stdout)?.[1] ?? 0);
  return {
    requestsPerSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1]),
    p99Ms: Number(p99) * toMs,
    cpuMicros: ((proxy.cpuSeconds() - cpuBefore) / count) * 1e6,
    failures: failures + (/Socket errors/.test(stdout) ? 1 : 0),
  };
}

/** MiB per second of one large GET or PUT, by curl. `file` is what is uploaded, `bytes` its length. */
export async function measureTransfer(
  proxy: PinnedProcess,
  direction: 'GET' | 'PUT',
  file: string,
  bytes: number,
): Promise<number> {
  // Without `Expect`, which stock http-proxy answers with 500.
  const base = `http://127.0.0.1:${proxy.port}/api/queue/v1`;
  const argv =
    direction === 'GET'
      ? [`${base}/bytes/${bytes}`]
      : ['-H', 'Expect:', '--upload-file', file, `${base}/upload`];
  const curl = ['curl', '-sS', '--fail', '--noproxy', '*', '-o', '/dev/null', '-w', '%{time_total}', ...argv];
  const { stdout } = await run('taskset', ['-c', String(otherCore), ...curl], { timeout: 120_000 });
  return bytes / 2 ** 20 / Number(stdout);
}

const newCredentials = JSON.stringify({ clientId: 'second', accessToken: 'another-long-access-token' });

/** The same while 64 slow requests are in flight, and how many of those fail. */
export async function measureCredentialsUpdate(port: number): Promise<{ ms: number; failures: number }> {
  const slow = Array.from({ length: 64 }, () => statusOf(port, '/api/queue/v1/slow/1500', 'GET'));
  // Behind all of them on the way in, so that they are in flight when it has been answered.
  await statusOf(port, '/api/queue/v1/slow/1', 'GET');
  const started = performance.now();
  const status = await statusOf(port, '/credentials', 'PUT', newCredentials);
  const ms = performance.now() - started;
  const statuses = [...(await Promise.all(slow)), status];
  return { ms, failures: statuses.filter((each) => each !== 200).length };
}

/** Milliseconds from the start of the process to its first proxied answer. */
export async function measureStart(
  command: readonly string[],
  env: Record<string, string>,
  port: number,
): Promise<number> {
  const started = performance.now();
  await using _ = await startedProcess(command, env, 'Serving on');
  await expectOk(statusOf(port, '/api/queue/v1/ping', 'GET'));
  return performance.now() - started;
}

/** Milliseconds until the first new credentials of a process are taken, which pay for code that nobody has run yet. */
export async function measureFirstCredentials(
  command: readonly string[],
  env: Record<string, string>,
  port: number,
): Promise<number> {
  await using _ = await startedProcess(command, env, 'Health and metrics on');
  const started = performance.now();
  await expectOk(statusOf(port, '/credentials', 'PUT', newCredentials));
  return performance.now() - started;
}

/** Runs it until the disposal, from when it has said a line that begins so. */
async function startedProcess(
  command: readonly string[],
  env: Record<string, string>,
  beginning: string,
): Promise<AsyncDisposable> {
  const child = spawn('taskset', ['-c', String(proxyCore), ...command], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { PATH: process.env.PATH, ...env },
  });
  for await (const line of createInterface({ input: child.stderr })) {
    if (line.startsWith(beginning)) break;
  }
  return {
    async [Symbol.asyncDispose]() {
      const closed = once(child, 'close');
      child.kill('SIGKILL');
      await closed;
    },
  };
}

async function expectOk(status: Promise<number>): Promise<void> {
  if ((await status) !== 200) throw new Error(`the answer was ${await status}`);
}

const agent = new Agent({ keepAlive: false });

async function statusOf(port: number, path: string, method: string, body = ''): Promise<number> {
  const sent = method === 'GET' ? get({ port, path, agent }) : request({ port, path, method, agent });
  if (method !== 'GET') sent.end(body);
  const [response] = await once(sent, 'response');
  response.resume();
  await once(response, 'end');
  return response.statusCode ?? 0;
}
