import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type EngineRoom, ordinaryUser } from './engine-room.ts';

const run = promisify(execFile);

/**
 * Lets this machine log in to a room as its ordinary user, by a server that ends with the room.
 *
 * @param folder gets keys and settings of the `ssh` program
 * @param address of the room
 * @returns the environment in which `ssh` knows the way
 */
export async function sshLogin(
  room: EngineRoom,
  folder: string,
  address: string,
): Promise<Record<string, string>> {
  const key = join(folder, 'key');
  const config = join(folder, 'config');
  const knownHosts = join(folder, 'known_hosts');
  const bin = join(folder, 'bin');
  await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key]);
  const authorized = room.outside(join(ordinaryUser.home, '.ssh'));
  await mkdir(authorized, { mode: 0o700 });
  await copyFile(`${key}.pub`, join(authorized, 'authorized_keys'));
  for (const path of [authorized, join(authorized, 'authorized_keys')]) {
    await chown(path, ordinaryUser.id, ordinaryUser.id);
  }
  const hostKey = await startServer(room, address);
  await writeFile(knownHosts, `${address} ${hostKey}\n`);
  await writeFile(config, `IdentityFile ${key}\nIdentitiesOnly yes\nUserKnownHostsFile ${knownHosts}\n`);
  await mkdir(bin);
  await writeFile(join(bin, 'ssh'), `#!/bin/sh\nexec /usr/bin/ssh -F ${config} "$@"\n`);
  await chmod(join(bin, 'ssh'), 0o755);
  return {
    DOCKER_HOST: `ssh://${ordinaryUser.name}@${address}`,
    PATH: `${bin}:${process.env.PATH}`,
  };
}

/** Gives its public key. */
async function startServer(room: EngineRoom, address: string): Promise<string> {
  const hostKey = '/tmp/host-key';
  const { stdout } = await run(...room.command(['dropbearkey', '-t', 'ed25519', '-f', hostKey]));
  const server = spawn(
    ...room.command(['dropbear', '-F', '-E', '-s', '-r', hostKey, '-p', `${address}:22`]),
    {
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  );
  // Its first words, once it listens.
  await Promise.race([
    once(server.stderr, 'data'),
    once(server, 'exit').then(() => Promise.reject(new Error('the server of logins has ended'))),
  ]);
  server.stderr.resume();
  return /^ssh-ed25519 \S+/m.exec(stdout)?.[0] ?? '';
}
