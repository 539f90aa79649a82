import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { listening } from '@docker-worker/service-kit/testing/listening';
import ssh2 from 'ssh2';

const run = promisify(execFile);

export interface SshServer extends AsyncDisposable {
  port: number;
  /** Value of `SSH_AUTH_SOCK`: an agent with the one key that may log in. */
  agent: string;
}

/**
 * Lets one key log in and run commands.
 *
 * @param folder is for keys and sockets
 * @param there makes of a command what is run on this machine
 */
export async function startSshServer(
  folder: string,
  there: (command: string[]) => [program: string, args: string[]],
): Promise<SshServer> {
  await using starting = new AsyncDisposableStack();
  const [hostKey, userKey] = [join(folder, 'host-key'), join(folder, 'user-key')];
  for (const file of [hostKey, userKey]) {
    await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file]);
  }
  const allowed = ssh2.utils.parseKey(await readFile(`${userKey}.pub`));
  if (allowed instanceof Error) throw allowed;
  const agent = join(folder, 'agent.sock');
  starting.use(await startAgent(agent));
  await run('ssh-add', ['-q', userKey], { env: { ...process.env, SSH_AUTH_SOCK: agent } });
  const server = new ssh2.Server({ hostKeys: [await readFile(hostKey)] }, (client) => {
    client.on('error', () => {});
    client.on('authentication', (asked) => {
      const isAllowed =
        asked.method === 'publickey' &&
        asked.key.data.equals(allowed.getPublicSSH()) &&
        (!asked.signature || allowed.verify(asked.blob ?? '', asked.signature, asked.hashAlgo) === true);
      if (isAllowed) asked.accept();
      else asked.reject(['publickey']);
    });
    client.on('session', (accept) => {
      accept().on('exec', (acceptCommand, _reject, { command }) => {
        const channel = acceptCommand();
        const child = spawn(...there(command.split(' ')), { stdio: 'pipe' });
        channel.on('error', () => {}).on('close', () => child.kill());
        child.stdin.on('error', () => {});
        channel.pipe(child.stdin);
        child.stdout.pipe(channel);
        child.stderr.pipe(channel.stderr);
      });
    });
  });
  const { port } = starting.use(await listening(server as never));
  const owned = starting.move();
  return { port, agent, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

async function startAgent(socket: string): Promise<AsyncDisposable> {
  const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(agent, 'close');
  // It prints where it listens.
  await Promise.race([once(agent.stdout, 'data'), ended]);
  return {
    async [Symbol.asyncDispose]() {
      agent.kill();
      await ended;
    },
  };
}
