/**
 * What runs in the container of the test's VPN server: OpenVPN or WireGuard, and behind it, on addresses
 * that only the tunnel leads to, an upstream (http and https) and a name server that knows it.
 * SIGUSR2 kills the VPN, SIGHUP starts it again.
 */
import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';

const settings = JSON.parse(readFileSync('/server/settings.json', 'utf8'));
const { kind, upstreamAddress, upstreamAddress6, upstreamName } = settings;

execFileSync('ip', ['addr', 'add', `${upstreamAddress}/32`, 'dev', 'lo']);
execFileSync('ip', ['addr', 'add', `${upstreamAddress6}/128`, 'dev', 'lo', 'nodad']);
let vpn = startVpn();
process.on('SIGUSR2', () => vpn.kill('SIGKILL'));
process.on('SIGHUP', () => {
  vpn = startVpn();
});
process.on('SIGTERM', () => process.exit());

const tls = { key: readFileSync('/server/upstream.key'), cert: readFileSync('/server/upstream.crt') };
for (const address of [upstreamAddress, upstreamAddress6]) {
  createServer(answer).on('upgrade', echo).listen(80, address);
  createTlsServer(tls, answer).on('upgrade', echo).listen(443, address);
}
serveNames();

function startVpn() {
  if (kind === 'wireguard') return startWireguard();
  return spawn('openvpn', ['--cd', '/server', '--config', 'server.conf'], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
}

function startWireguard() {
  execFileSync('mkdir', ['-p', '/tmp/wireguard']);
  const program = spawn('wireguard-go', ['--foreground', 'wg0'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, LOG_LEVEL: 'verbose' },
  });
  program.stdout.on('data', (chunk) => {
    if (!String(chunk).includes('UAPI listener started')) return;
    execFileSync('wg', ['setconf', 'wg0', '/server/wireguard.conf']);
    for (const address of ['10.99.0.1/24', 'fd99::1/64'])
      execFileSync('ip', ['addr', 'add', address, 'dev', 'wg0']);
    execFileSync('ip', ['link', 'set', 'wg0', 'up']);
    process.stdout.write('WireGuard is up\n');
  });
  return program;
}

function answer(request, response) {
  const path = request.url.split('?')[0];
  if (path === '/')
    return response.writeHead(401, { 'www-authenticate': 'Basic realm=balrog' }).end('who are you?');
  if (path === '/redirect') {
    const scheme = request.socket.encrypted ? 'https' : 'http';
    return response.writeHead(302, { location: `${scheme}://${request.headers.host}/there?x=1` }).end();
  }
  if (path.startsWith('/bytes/')) return sendBytes(Number(path.slice('/bytes/'.length)), response);
  if (path === '/hold') return response.writeHead(200).write('begun');
  const hash = createHash('sha256');
  let length = 0;
  request.on('data', (chunk) => {
    hash.update(chunk);
    length += chunk.length;
  });
  request.on('end', () => {
    const { method, url, headers } = request;
    const from = request.socket.remoteAddress;
    const text = JSON.stringify({ method, url, headers, from, length, sha256: hash.digest('hex') });
    response.writeHead(200, { 'content-type': 'application/json' }).end(text);
  });
}

function sendBytes(count, response) {
  const block = Buffer.alloc(256 * 1024);
  response.writeHead(200, { 'content-length': count });
  let left = count;
  (function send() {
    while (left > 0) {
      const size = Math.min(left, block.length);
      left -= size;
      if (!response.write(block.subarray(0, size))) return response.once('drain', send);
    }
    response.end();
  })();
}

function echo(request, socket) {
  socket.on('error', () => {});
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${request.headers.upgrade}\r\n\r\n`,
  );
  socket.pipe(socket);
}

/** Answers every question for an A record of the upstream's name, and refuses to know others. */
function serveNames() {
  const socket = createSocket('udp4');
  socket.on('message', (query, { address, port }) => {
    const labels = [];
    let at = 12;
    for (let size = query[at]; size > 0; size = query[at]) {
      labels.push(query.toString('latin1', at + 1, at + 1 + size));
      at += size + 1;
    }
    const isKnown = labels.join('.').toLowerCase() === upstreamName;
    const type = query.readUInt16BE(at + 1);
    const head = Buffer.from(query.subarray(0, 12));
    head.writeUInt16BE(isKnown ? 0x8180 : 0x8183, 2);
    head.writeUInt16BE(isKnown && type === 1 ? 1 : 0, 6);
    head.writeUInt32BE(0, 8);
    const record = Buffer.from([
      0xc0,
      12,
      0,
      1,
      0,
      1,
      0,
      0,
      0,
      60,
      0,
      4,
      ...upstreamAddress.split('.').map(Number),
    ]);
    const question = query.subarray(12, at + 5);
    socket.send(
      Buffer.concat(isKnown && type === 1 ? [head, question, record] : [head, question]),
      port,
      address,
    );
  });
  socket.bind(53, upstreamAddress);
}
