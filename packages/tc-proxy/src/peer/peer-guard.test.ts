import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { userInfo } from 'node:os';
import { text } from 'node:stream/consumers';
import { createLogger, Redactor } from '@docker-worker/service-kit';
import { listening } from '@docker-worker/service-kit/testing/listening';
import { describe, expect, test } from '@jest/globals';
import { connectionOwner } from './connection-owner.ts';
import { PeerGuard, type PeerGuardOptions } from './peer-guard.ts';

const peer = { address: '10.1.2.3', port: 4_000 };
const own = { address: '10.0.0.1', port: 80 };
const me = userInfo();

function refusal(owner: number | undefined, options: PeerGuardOptions) {
  return new PeerGuard({ ...options, ownerOf: () => owner }).refusal(peer, own);
}

describe('who may connect', () => {
  test('a process of the allowed user', () => {
    expect(refusal(me.uid, { allowedUser: me.username })).toBeUndefined();
  });

  test('no process of another user, even from the allowed network, and the reason names uid, user and address', () => {
    const reason = refusal(me.uid + 1, { allowedUser: me.username, allowedNetwork: '10.0.0.0/8' });
    expect(reason).toContain(`user id ${me.uid + 1}`);
    expect(reason).toContain(me.username);
    expect(reason).toContain('10.1.2.3:4000');
  });

  test('a peer that is not of this machine, from the allowed network only', () => {
    expect(refusal(undefined, { allowedUser: me.username, allowedNetwork: '10.0.0.0/8' })).toBeUndefined();
    expect(refusal(undefined, { allowedUser: me.username, allowedNetwork: '10.2.0.0/16' })).toContain(
      'nobody',
    );
    expect(refusal(undefined, { allowedUser: me.username })).toContain('nobody');
  });

  test('an IPv4 peer of a network, also when its address comes mapped into IPv6', () => {
    const guard = new PeerGuard({ allowedNetwork: '10.0.0.0/8' });
    expect(guard.refusal({ address: '::ffff:10.1.2.3', port: 1 }, own)).toBeUndefined();
    expect(guard.refusal({ address: '::ffff:11.1.2.3', port: 1 }, own)).toContain('nobody');
  });

  test('an unknown user is told at once', () => {
    expect(() => new PeerGuard({ allowedUser: 'nobody-of-that-name' })).toThrow(
      /unknown user nobody-of-that-name/,
    );
  });
});

describe('the owner of a connection', () => {
  const line = (local: string, remote: string, uid: number) =>
    `   0: ${local} ${remote} 01 00000000:00000000 00:00000000 00000000  ${uid}        0 12345 1`;

  test.each([
    ['IPv4', { address: '127.0.0.1', port: 8080 }, '0100007F:1F90'],
    ['IPv4 mapped into IPv6', { address: '::ffff:127.0.0.1', port: 8080 }, '0100007F:1F90'],
    [
      'an IPv6 socket with a mapped address',
      { address: '127.0.0.1', port: 8080 },
      '0000000000000000FFFF00000100007F:1F90',
    ],
    ['IPv6 loopback', { address: '::1', port: 80 }, '00000000000000000000000001000000:0050'],
    ['IPv6', { address: '2001:db8::1', port: 80 }, 'B80D0120000000000000000001000000:0050'],
  ])('is found by %s', (_, endpoint, hex) => {
    const tables = [line('0100007F:0001', '0100007F:0002', 1), line(hex, hex, 4_711)].join('\n');
    expect(connectionOwner(endpoint, endpoint, tables)).toBe(4_711);
  });

  test('is nobody when only one end fits', () => {
    const tables = line('0100007F:1F90', '0100007F:0002', 1);
    const end = { address: '127.0.0.1', port: 8080 };
    expect(connectionOwner(end, end, tables)).toBeUndefined();
  });
});

describe('a guarded server', () => {
  test.each(['127.0.0.1', '::1'])(
    'serves this user and goes on after it has refused another one, on %s',
    async (address) => {
      const log: string[] = [];
      const logger = createLogger({
        name: 'tc-proxy',
        level: 'warn',
        redactor: new Redactor(),
        stream: { write: (entry) => log.push(entry) },
      });
      const server = createServer((_, response) => response.end('served'));
      new PeerGuard({ allowedUser: me.username }).watch(server, logger);
      await using listens = await listening(server, { host: address, port: 0 });

      expect(await curlAs(65_534, listens.url)).toEqual({ code: expect.not.stringMatching(/^0$/), body: '' });
      expect(await curlAs(me.uid, listens.url)).toEqual({ code: '0', body: 'served' });
      expect(log.join('')).toContain('user id 65534');
    },
  );
});

async function curlAs(uid: number, url: string): Promise<{ code: string; body: string }> {
  const child = spawn('curl', ['--silent', '--noproxy', '*', url], {
    uid,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [body, [code]] = await Promise.all([text(child.stdout), once(child, 'close')]);
  return { code: String(code), body };
}
