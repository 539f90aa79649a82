import Docker from 'dockerode';
import { engineMessage } from '../shell/exec-process.ts';

export const docker = new Docker();

/** What the examples run in; it is there as soon as the repository's images are baked. */
const image = 'docker-worker/example-task';

export interface TestContainer extends AsyncDisposable {
  id: string;
  /** Standard output of a command in it. */
  run(...command: string[]): Promise<string>;
  stop(): Promise<void>;
}

/** A container that does nothing, without any network. */
export async function startContainer(): Promise<TestContainer> {
  const container = await docker
    .createContainer({
      Image: image,
      Cmd: ['sleep', '600'],
      HostConfig: { Init: true, NetworkMode: 'none' },
      Labels: { 'exec-ws-server.test': String(process.pid) },
    })
    .catch((error: unknown) => {
      throw new Error(`${engineMessage(error)}: make the image with "npm run images"`);
    });
  await container.start();
  return {
    id: container.id,
    async run(...command) {
      const exec = await container.exec({ Cmd: command, AttachStdout: true, Tty: true });
      const stream = await exec.start({ Tty: true });
      const chunks: Buffer[] = [];
      for await (const chunk of stream) {
        chunks.push(chunk as Buffer);
      }
      return Buffer.concat(chunks).toString().replaceAll('\r\n', '\n');
    },
    stop: async () => {
      await container.kill();
    },
    async [Symbol.asyncDispose]() {
      await container.remove({ force: true, v: true });
    },
  };
}
