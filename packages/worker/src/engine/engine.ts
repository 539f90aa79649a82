import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Readable } from 'node:stream';
import clock from 'node:timers';
import { setTimeout } from 'node:timers/promises';
import type { ConstructorOptions as ModemOptions } from 'docker-modem';
import type Docker from 'dockerode';
import { unlessAborted } from '../async/unless-aborted.ts';
import { isOutOfFiles } from '../file-limit.ts';
import { UserError } from '../user-error.ts';
import { type EngineCapabilities, engineCapabilities } from './capabilities.ts';
import { ContainerDeaths, deathEvents } from './container-deaths.ts';
import { contextVariables } from './docker-context.ts';
import { EngineApi, type EngineLimits } from './engine-api.ts';
import { EngineLost } from './engine-lost.ts';
import { sshAgent } from './ssh-agent.ts';

/** How often an engine is asked whether it still answers. */
const pulseMs = 2_000;
/** After how long without an answer it is regarded as silent, and after how long as lost. */
const silenceMs = 2_500;
const patienceMs = 30_000;

/** A connection to the Docker Engine that knows when it is lost. */
export interface Engine extends AsyncDisposable {
  docker: Docker;
  readonly capabilities: EngineCapabilities;
  /** Whether it is silent: it has not answered the last question in time. It may only be very busy. */
  readonly silent: boolean;
  /**
   * Aborted when the engine goes away or does not answer any more. All calls under way are cut then, and
   * new ones fail at once; without that, waiting for a container would not settle, and its output would end
   * as if it had finished.
   */
  lost: AbortSignal;
  /** Tells of the ends of this process's containers. */
  deaths: ContainerDeaths;
}

/**
 * Connects by `DOCKER_HOST`, by the context of the docker command line, or to `/var/run/docker.sock`.
 *
 * @param onSilent is told when the engine becomes silent, and when it answers again
 * @param giveUp ends the wait for an engine that takes the connection and does not answer
 * @throws EngineUnavailable with what to do about it
 */
export async function connectEngine(
  onSilent: (silent: boolean) => void = () => {},
  giveUp: AbortSignal = new AbortController().signal,
  limits: EngineLimits = {},
): Promise<Engine> {
  // Where docker-modem looks for it.
  Object.assign(process.env, contextVariables(process.env));
  const losing = new AbortController();
  const leaving = new AbortController();
  const docker = new EngineApi({}, limits);
  const agent = createAgent(docker, losing.signal);
  let events: Readable;
  let capabilities: EngineCapabilities;
  const connecting = new AbortController();
  const onGiveUp = () => connecting.abort(giveUp.reason);
  giveUp.addEventListener('abort', onGiveUp);
  try {
    const options = { filters: deathEvents, abortSignal: connecting.signal };
    [events, capabilities] = await Promise.all([
      docker.getEvents(options) as Promise<Readable>,
      unlessAborted(connecting.signal, engineCapabilities(docker)),
    ]);
  } catch (error) {
    connecting.abort();
    throw error instanceof UserError ? error : new EngineUnavailable(error as NodeJS.ErrnoException);
  } finally {
    giveUp.removeEventListener('abort', onGiveUp);
  }
  Object.assign(docker.modem, { version: `v${capabilities.api}` });
  events.on('error', () => {});
  const deaths = new ContainerDeaths(events);
  const lose = (reason: string) => {
    if (!leaving.signal.aborted) {
      losing.abort(new EngineLost(reason));
      agent.destroy();
      events.destroy();
    }
  };
  // With or without an error before it.
  events.once('close', () => lose('the connection to the Docker Engine was lost'));
  let silent = false;
  const setSilent = (now: boolean) => {
    if (now !== silent) {
      silent = now;
      onSilent(silent);
    }
  };
  void watchPulse(docker, leaving.signal, setSilent, lose);
  return {
    docker,
    capabilities,
    get silent() {
      return silent;
    },
    lost: losing.signal,
    deaths,
    async [Symbol.asyncDispose]() {
      leaving.abort();
      events.destroy();
      agent.destroy();
    },
  };
}

/** A hung engine keeps its connections open, so only a question that it does not answer tells. */
async function watchPulse(
  docker: Docker,
  leaving: AbortSignal,
  setSilent: (silent: boolean) => void,
  lose: (reason: string) => void,
): Promise<void> {
  while (!leaving.aborted) {
    const late = AbortSignal.any([leaving, AbortSignal.timeout(patienceMs)]);
    const silence = clock.setTimeout(() => setSilent(true), silenceMs);
    try {
      await unlessAborted(late, docker.ping()).finally(() => clearTimeout(silence));
      setSilent(false);
      await setTimeout(pulseMs, undefined, { signal: leaving, ref: false });
    } catch (error) {
      // The question was not asked, and a loss would be told by the stream of events, too.
      if (isOutOfFiles(error)) {
        setSilent(true);
        await setTimeout(pulseMs, undefined, { signal: leaving, ref: false }).catch(() => {});
        continue;
      }
      lose(
        late.aborted
          ? `the Docker Engine did not answer within ${patienceMs / 1000} s`
          : engineMessage(error),
      );
      return;
    }
  }
}

/** Opens no connection to an engine that is lost. */
function createAgent(docker: Docker, lost: AbortSignal): HttpAgent {
  const modem = docker.modem as ModemOptions;
  const agent = agentFor(modem);
  const connect = agent.createConnection;
  agent.createConnection = (...all: Parameters<typeof connect>) => {
    lost.throwIfAborted();
    return connect.apply(agent, all);
  };
  modem.agent = agent;
  return agent;
}

function agentFor(modem: ModemOptions): HttpAgent {
  const { DOCKER_HOST = '' } = process.env;
  if (DOCKER_HOST.startsWith('ssh://')) {
    // Else dockerode would log in by itself, to whoever answers, once for each request.
    modem.protocol = 'http';
    return sshAgent(DOCKER_HOST, process.env);
  }
  // Only within a machine does nothing between the two forget a connection that is idle.
  const keepAlive = modem.socketPath !== undefined;
  return modem.protocol === 'https' ? new HttpsAgent() : new HttpAgent({ keepAlive });
}

export class EngineUnavailable extends UserError {
  constructor(cause: NodeJS.ErrnoException) {
    const where = process.env.DOCKER_HOST ?? '/var/run/docker.sock';
    const fix =
      cause.code === 'EACCES'
        ? `this user may not use it: run as root, or join the group that owns it ("sudo usermod -aG docker $USER", then log in again)`
        : `start it ("systemctl start docker", or "dockerd" by hand), or choose another with DOCKER_HOST or DOCKER_CONTEXT`;
    super(`No Docker Engine answers at ${where} (${cause.code ?? cause.message}): ${fix}.`, { cause });
    this.name = 'EngineUnavailable';
  }
}

/** Docker's own words in an error of its API, else the error's. */
export function engineMessage(error: unknown): string {
  const { json, message } = error as { json?: { message?: string }; message?: string };
  return (json?.message ?? message ?? String(error)).replace(/^\(HTTP code \d+\) .*? - /, '').trim();
}

export function engineStatus(error: unknown): number | undefined {
  return (error as { statusCode?: number }).statusCode;
}
