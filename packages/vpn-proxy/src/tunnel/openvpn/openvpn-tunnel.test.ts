import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { testContext } from '@docker-worker/service-kit/testing/service-context';
import { expect, test } from '@jest/globals';
import type { TunnelState } from '../tunnel.ts';
import { OpenvpnTunnel } from './openvpn-tunnel.ts';

/** A program in OpenVPN's place: connects to the management socket and does what the script says. */
function programText(script: string): string {
  return `#!${process.execPath}
const args = process.argv;
const manage = require('net').connect(args[args.indexOf('--management') + 1]);
const say = (...lines) => lines.forEach((line) => manage.write(line + '\\n'));
const heard = (text) => new Promise((resolve) => manage.on('data', (data) => String(data).includes(text) && resolve()));
(async () => { ${script} })();
`;
}

async function runTunnel(script: string, until: (states: TunnelState[]) => boolean) {
  const folder = await mkdtemp(join(tmpdir(), 'vpn-proxy-'));
  const { logger, log } = testContext('test');
  try {
    const program = join(folder, 'program');
    await writeFile(program, programText(script), { mode: 0o755 });
    const tunnel = await OpenvpnTunnel.listen({
      directory: folder,
      config: 'config.conf',
      socketPath: join(folder, 'socket'),
      program,
      logger,
    });
    const states: TunnelState[] = [];
    const seen = await new Promise<{ isUp: boolean; dns: OpenvpnTunnel['dns'] }>((resolve) => {
      tunnel.onChange = () => {
        states.push(tunnel.state);
        if (!until(states)) return;
        tunnel.onChange = () => {};
        resolve({ isUp: tunnel.isUp, dns: tunnel.dns });
      };
      tunnel.open();
    });
    tunnel.close();
    return { states, ...seen, log: log() };
  } finally {
    await rm(folder, { recursive: true });
  }
}

test('it is let go when it is asked to be managed, and is up when it says so, with the DNS that was pushed', async () => {
  const { states, isUp, dns } = await runTunnel(
    `say('>HOLD:Waiting for hold release:0');
     await heard('hold release');
     say('>STATE:1,WAIT,,,,,,', '>UPDOWN:UP', '>UPDOWN:ENV,foreign_option_2=dhcp-option DOMAIN corp.test',
       '>UPDOWN:ENV,foreign_option_1=dhcp-option DNS 10.1.1.1', '>UPDOWN:ENV,END', '>STATE:2,CONNECTED,SUCCESS,10.99.0.2,1.2.3.4,1194,,');`,
    (all) => all.at(-1)?.name === 'CONNECTED',
  );

  expect(states).toEqual([{ name: 'WAIT' }, { name: 'CONNECTED', detail: '10.99.0.2' }]);
  expect(isUp).toBe(true);
  expect(dns).toEqual({ servers: ['10.1.1.1'], domain: 'corp.test' });
});

test('a reconnect is down at once', async () => {
  const { states, isUp } = await runTunnel(
    `say('>STATE:2,CONNECTED,SUCCESS,10.99.0.2,,,,', '>STATE:3,RECONNECTING,ping-restart,,,,,');`,
    (all) => all.length === 2,
  );

  expect(states.at(-1)).toEqual({ name: 'RECONNECTING', detail: 'ping-restart' });
  expect(isUp).toBe(false);
});

test('refused credentials stay the reason when the program ends', async () => {
  const { states } = await runTunnel(
    `say(">PASSWORD:Verification Failed: 'Auth'", '>STATE:3,EXITING,auth-failure,,,,,'); manage.end(); manage.on('close', () => process.exit(0));`,
    (all) => all.length === 1,
  );

  expect(states).toEqual([{ name: 'AUTH_FAILED', detail: 'the VPN server refuses the credentials' }]);
});

test('a program that ends is told with its last line, and started again', async () => {
  const { states, log } = await runTunnel(
    `console.log('Options error: nonsense'); manage.destroy(); process.exitCode = 1;`,
    (all) => all.filter(({ name }) => name === 'EXITED').length === 2,
  );

  expect(states[0]).toEqual({ name: 'EXITED', detail: 'openvpn ended with 1: Options error: nonsense' });
  expect(log.match(/"msg":"Options error: nonsense"/g)).toHaveLength(2);
});
