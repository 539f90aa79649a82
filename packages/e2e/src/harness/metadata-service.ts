import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';

const run = promisify(execFile);

export const metadataAddresses = ['169.254.169.254', '168.63.129.16', '100.100.100.200'];
/** Of an agent on the host, which packets to that address are redirected to. */
export const agentAddress = '169.254.170.2';
export const metadataAddressV6 = 'fd00:ec2::254';
const [uplink, address] = ['10.213.78.1', '10.213.78.2'];

const server = `
const http = require('http');
const answer = (request, response) => response.end('credentials of the machine\\n');
let left = process.argv.slice(1).map(Number);
for (const port of left) http.createServer(answer).listen(port, '::', () => --left.length || console.log('ready'));
`;

/**
 * Plays the metadata services of several clouds, in a network namespace of its own that only another one has routes to, and the
 * agent that some of them run on the machine itself, in that other namespace.
 */
export async function startMetadataService(namespace: string): Promise<AsyncDisposable> {
  await using resources = new AsyncDisposableStack();
  const own = `metadata-${process.pid}`;
  await run('ip', ['netns', 'add', own]);
  resources.defer(() => run('ip', ['netns', 'delete', own]).then(() => {}));
  await script(`
    ip -n ${own} link set lo up
    ip -n ${namespace} link add dwm0 type veth peer name dwm1 netns ${own}
    ip -n ${namespace} address add ${uplink}/30 dev dwm0
    ip -n ${namespace} address add fd77::1/64 dev dwm0 nodad
    ip -n ${namespace} link set dwm0 up
    ip -n ${own} address add ${address}/30 dev dwm1
    ip -n ${own} address add fd77::2/64 dev dwm1 nodad
    ip -n ${own} link set dwm1 up
    ip -n ${own} route add default via ${uplink}
    ip -n ${own} -6 route add default via fd77::1
    ${metadataAddresses.map((each) => `ip -n ${own} address add ${each}/32 dev lo; ip -n ${namespace} route add ${each} via ${address}`).join('\n')}
    ip -n ${own} address add ${metadataAddressV6}/128 dev lo
    ip -n ${namespace} -6 route add ${metadataAddressV6} via fd77::2
    ip netns exec ${namespace} iptables -t nat -A PREROUTING -d ${agentAddress} -p tcp --dport 80 -j REDIRECT --to-ports 51679
  `);
  resources.use(await serve(own, [80, 53]));
  resources.use(await serve(namespace, [51679]));
  return resources.move();
}

async function serve(namespace: string, ports: number[]): Promise<AsyncDisposable> {
  const child = spawn(
    'ip',
    ['netns', 'exec', namespace, process.execPath, '-e', server, ...ports.map(String)],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  await once(child.stdout, 'data');
  return {
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

async function script(commands: string): Promise<void> {
  await run('sh', ['-euc', commands]);
}
