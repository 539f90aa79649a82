import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import type Docker from 'dockerode';
import type { ContainerCreateOptions } from 'dockerode';
import { ownershipLabels } from '../ownership/labels.ts';
import { removeContainer } from './remove-container.ts';

export interface HelperResult {
  exitCode: number;
  stdout: string;
  stderr: string;
}

/** Runs a container of the worker's own to its end, and removes it. */
export async function runHelper(
  docker: Docker,
  { worker, image, role }: { worker: string; image: string; role: string },
  options: ContainerCreateOptions,
): Promise<HelperResult> {
  const container = await docker.createContainer({
    Image: image,
    Labels: ownershipLabels({ worker, taskRun: 'none' }, role),
    Healthcheck: { Test: ['NONE'] },
    ...options,
  });
  try {
    const stream = await container.attach({ stream: true, stdout: true, stderr: true });
    const stdout = new PassThrough();
    const stderr = new PassThrough();
    container.modem.demuxStream(stream, stdout, stderr);
    stream.once('close', () => {
      stdout.end();
      stderr.end();
    });
    const printed = Promise.all([text(stdout), text(stderr)]);
    await container.start();
    const { StatusCode: exitCode } = (await container.wait()) as { StatusCode: number };
    const [out, err] = await printed;
    return { exitCode, stdout: out, stderr: err };
  } finally {
    await removeContainer(docker, container.id);
  }
}
