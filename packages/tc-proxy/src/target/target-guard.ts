import { lookup as systemLookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { isForbiddenAddress } from './forbidden-address.ts';

/** The client may not reach this host through the proxy; the answer to it is a 403. */
export class ForbiddenTargetError extends Error {
  override name = 'ForbiddenTargetError';
  readonly code = 'ERR_FORBIDDEN_TARGET';
}

export interface TargetGuardOptions {
  /** Host names and addresses, in lower case, that are reached whatever they are. */
  allowHosts?: readonly string[];
  /** Refuses every host. */
  denyAll?: boolean;
  /** Finds addresses; default: the system's resolver. */
  resolve?: LookupFunction;
}

/** Names of metadata services, which some networks resolve without DNS, and of this machine. */
const forbiddenNames = /(^|\.)(localhost|localdomain|metadata\.google\.internal|metadata\.goog)\.?$/;

/**
 * Decides which hosts clients may name in a URL. Their names are judged before anything is sent, and the
 * addresses that they resolve to just before a connection is made to exactly those addresses.
 */
export class TargetGuard {
  readonly #allowed: ReadonlySet<string>;
  readonly #denyAll: boolean;
  readonly #resolve: LookupFunction;

  constructor({ allowHosts = [], denyAll = false, resolve = systemLookup }: TargetGuardOptions = {}) {
    this.#allowed = new Set(allowHosts);
    this.#denyAll = denyAll;
    this.#resolve = resolve;
  }

  /** Why this host (in lower case) is refused; undefined when nothing speaks against its name. */
  refusal(host: string): string | undefined {
    if (this.#denyAll) return 'requests to hosts other than the root URL’s are turned off';
    if (this.#allowed.has(host)) return undefined;
    if (forbiddenNames.test(host) || isForbiddenAddress(host)) return refused(host);
    return undefined;
  }

  /** Resolves a name as `net.connect` wants it, and fails when any of its addresses is forbidden. */
  readonly lookup: LookupFunction = (host, options, done) => {
    this.#resolve(host, { ...options, all: true }, (error, found) => {
      if (error) return done(error, '');
      const addresses = typeof found === 'string' ? [{ address: found, family: isIP(found) }] : found;
      if (!this.#allowed.has(host) && addresses.some(({ address }) => isForbiddenAddress(address))) {
        return done(new ForbiddenTargetError(refused(host)), '');
      }
      if (options.all) return done(null, addresses);
      const [first] = addresses;
      done(null, first?.address ?? '', first?.family);
    });
  };
}

function refused(host: string): string {
  return `${host} is loopback, link-local or a metadata service, which this proxy does not reach (see --allow-host)`;
}
