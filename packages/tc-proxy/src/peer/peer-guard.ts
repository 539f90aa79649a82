import { readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { BlockList, isIPv6, type Socket } from 'node:net';
import { type Logger, ServiceError } from '@docker-worker/service-kit';
import { connectionOwner, type Endpoint } from './connection-owner.ts';

export interface PeerGuardOptions {
  /** Name of a user of this machine: connections from processes of other users are refused. */
  allowedUser?: string;
  /** CIDR range: who connects from elsewhere, where no user can be told, must come from here. */
  allowedNetwork?: string;
  /** For tests. */
  ownerOf?: typeof connectionOwner;
}

/**
 * Decides who may connect at all, for machines on which several users' tasks run side by side. What the kernel says of a
 * connection from this machine counts; a network never makes up for the wrong user.
 */
export class PeerGuard {
  readonly #uid: number | undefined;
  readonly #user: string | undefined;
  readonly #network: BlockList | undefined;
  readonly #ownerOf: typeof connectionOwner;

  /** @throws ServiceError when there is no such user */
  constructor({ allowedUser, allowedNetwork, ownerOf = connectionOwner }: PeerGuardOptions) {
    this.#user = allowedUser;
    this.#uid = allowedUser === undefined ? undefined : userId(allowedUser);
    this.#network = allowedNetwork === undefined ? undefined : networkOf(allowedNetwork);
    this.#ownerOf = ownerOf;
  }

  /** Has connections that are refused closed before anything is read from them. */
  watch(server: Server, logger: Logger): void {
    if (this.#uid === undefined && this.#network === undefined) return;
    server.prependListener('connection', (socket: Socket) => {
      const { remoteAddress = '', remotePort = 0, localAddress = '', localPort = 0 } = socket;
      const refusal = this.refusal(
        { address: remoteAddress, port: remotePort },
        { address: localAddress, port: localPort },
      );
      if (refusal === undefined) return;
      logger.warn({ peer: remoteAddress }, refusal);
      socket.destroy();
    });
  }

  /** Why a connection is refused; undefined when it is not. */
  refusal(peer: Endpoint, own: Endpoint): string | undefined {
    const owner = this.#uid === undefined ? undefined : this.#ownerOf(peer, own);
    if (owner !== undefined) {
      return owner === this.#uid
        ? undefined
        : `a connection from ${peer.address}:${peer.port} is of user id ${owner}, allowed is ${this.#user} (${this.#uid})`;
    }
    if (this.#network?.check(peer.address, isIPv6(peer.address) ? 'ipv6' : 'ipv4')) return undefined;
    return `a connection from ${peer.address}:${peer.port} is of nobody who may connect`;
  }
}

function networkOf(range: string): BlockList {
  const [address = '', prefix] = range.split('/');
  const list = new BlockList();
  list.addSubnet(address, Number(prefix), isIPv6(address) ? 'ipv6' : 'ipv4');
  return list;
}

function userId(name: string): number {
  const entry = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .find(([user]) => user === name);
  if (entry === undefined)
    throw new ServiceError(`--allowed-user (TC_PROXY_ALLOWED_USER): unknown user ${name}`);
  return Number(entry[2]);
}
