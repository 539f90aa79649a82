import nodeHttp, { type IncomingMessage, type RequestOptions } from 'node:http';
import nodeHttps from 'node:https';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { inspect } from 'node:util';
import modemTransports from 'docker-modem/lib/http.js';
import Docker, { type Container, type Exec, type Image, type Network } from 'dockerode';

// The modem's own transports follow redirects, over any connection, with nobody to hear of a failure.
Object.assign(modemTransports, { http: quick(nodeHttp), https: quick(nodeHttps) });

/** For a log that is off, the modem formats each request with all that hangs on it, which took half of the worker's time. */
function quick({ request }: Pick<typeof nodeHttp, 'request'>): Pick<typeof nodeHttp, 'request'> {
  const notInspected = { [inspect.custom]: () => 'request' };
  return {
    request: (options: RequestOptions, listener?: (response: IncomingMessage) => void) =>
      request(Object.assign(options, notInspected), listener),
  } as Pick<typeof nodeHttp, 'request'>;
}

/** Within which the engine must answer what takes it no time of its own; a start on a busy disk takes minutes. */
const usualAnswerMs = 300_000;
/** An archive or a pull that the engine does not go on with for so long has no end. */
const usualIdleMs = 600_000;

export interface EngineLimits {
  /** Milliseconds until a request must be answered; of a stream, until it begins. */
  answerMs?: number;
  /** Milliseconds that an archive or a pull may bring nothing. */
  idleMs?: number;
}

/** What takes as long as it takes: whoever asks for these ends them by a signal. */
const endless = /^\/(events|build|images\/(load|get)|containers\/[^/]+\/wait|commit)$/;

/**
 * dockerode with paths that say what they seem to: every name or id in the path of a request is escaped here,
 * and no path leads elsewhere. A redirect is an answer like any other that was not expected.
 */
export class EngineApi extends Docker {
  constructor(options?: Docker.DockerOptions, limits: EngineLimits = {}) {
    super(options);
    const { modem } = this;
    const dial = modem.dial.bind(modem);
    modem.dial = (request, answered) => {
      const { answerMs = usualAnswerMs, idleMs = usualIdleMs } = limits;
      const path = request.path.split('?', 1)[0] ?? '';
      if (path.endsWith('/attach')) {
        // Podman hands a body, which repeats the query, on to the container.
        Object.assign(request, { file: Buffer.alloc(0) });
      }
      if (leadsElsewhere(path)) {
        answered?.(new EnginePathRefused(path), null);
      } else if (endless.test(path)) {
        dial(request, answered);
      } else {
        const late = new AbortController();
        const timer = setTimeout(() => late.abort(), answerMs).unref();
        const abortSignal = AbortSignal.any([
          late.signal,
          ...(request.abortSignal ? [request.abortSignal] : []),
        ]);
        dial({ ...request, abortSignal }, (error, result) => {
          clearTimeout(timer);
          if (error === null && request.isStream && /\/(archive|images\/create)$/.test(path)) {
            limitIdle(result as IncomingMessage, path, idleMs);
          }
          const isLate = error !== null && late.signal.aborted;
          answered?.(isLate ? new EngineTimeout(request.method ?? '', path, answerMs) : error, result);
        });
      }
    };
  }

  override getContainer(id: string): Container {
    return super.getContainer(escaped(id));
  }

  override getExec(id: string): Exec {
    return super.getExec(escaped(id));
  }

  override getImage(name: string): Image {
    return super.getImage(escaped(name));
  }

  override getNetwork(id: string): Network {
    return super.getNetwork(escaped(id));
  }
}

/** The engine is there, and has not answered one request. */
export class EngineTimeout extends Error {
  readonly code = 'ETIMEDOUT';

  constructor(method: string, path: string, ms: number) {
    super(`the Docker Engine did not answer ${method} ${path} within ${ms / 1000} s`);
    this.name = 'EngineTimeout';
  }
}

export class EnginePathRefused extends Error {
  constructor(path: string) {
    super(`${JSON.stringify(path)} is no path of the Docker Engine's API`);
    this.name = 'EnginePathRefused';
  }
}

function limitIdle(stream: IncomingMessage, path: string, ms: number): void {
  const expire = () => stream.destroy(new EngineTimeout('the rest of', path, ms));
  const { socket } = stream;
  if (socket instanceof Socket) {
    stream.setTimeout(ms, expire);
    return;
  }
  // What comes by SSH has no clock of its own.
  const timer = setTimeout(expire, ms).unref();
  (socket as Duplex).on('data', () => timer.refresh());
  stream.once('close', () => clearTimeout(timer));
}

/** Only names of images have slashes, and they stay, as the engine knows them. */
function escaped(name: string): string {
  return name.toWellFormed().split('/').map(encodeURIComponent).join('/');
}

/** The engine redirects to what it takes a path for that is not in normal form. */
function leadsElsewhere(path: string): boolean {
  const [root, ...segments] = path.split('/');
  return root !== '' || segments.some((segment) => /^\.{0,2}$|[^\w.~!'()*%:-]/.test(segment));
}
