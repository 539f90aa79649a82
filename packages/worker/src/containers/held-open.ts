import { type Duplex, PassThrough } from 'node:stream';
import type { Container } from 'dockerode';

/** Of a container that ends with this process, which holds its standard input open and reads what it says. */
export const heldOpen = {
  OpenStdin: true,
  StdinOnce: true,
  AttachStdin: true,
  AttachStdout: true,
  AttachStderr: true,
  // What it says tells more, and sooner, than a probe from outside.
  Healthcheck: { Test: ['NONE'] },
};

/** Of such a container: what it is told by, and what it says on each of its outputs. */
export interface HeldStreams {
  /** Closes when the container has ended, or the engine is gone; never an uncaught error. */
  channel: Duplex;
  stdout: PassThrough;
  stderr: PassThrough;
}

/** To be attached to before it is started. The outputs end with the channel. */
export async function attachHeld(container: Container): Promise<HeldStreams> {
  const channel = (await container.attach({
    ...{ stream: true, hijack: true, stdin: true, stdout: true, stderr: true },
  })) as Duplex;
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  container.modem.demuxStream(channel, stdout, stderr);
  channel
    .on('error', () => {})
    .once('close', () => {
      stdout.end();
      stderr.end();
    });
  return { channel, stdout, stderr };
}
