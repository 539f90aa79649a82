import { code, table } from './markdown.ts';
import { sourceFiles } from './source-files.ts';

/** What each `code` of an answer's JSON body means. The generator refuses to run when one is missing or not used. */
const meanings: Record<string, string> = {
  ForbiddenTarget: 'The host is loopback, link-local or a metadata service, or hosts are turned off.',
  InputError: 'The request is not what this path takes; the message names the field.',
  InternalServerError: 'A bug of the proxy; its log has the error.',
  MethodNotAllowed: 'The path takes another method, named in `Allow`.',
  NoCredentials: 'The route wants a Taskcluster signature and there is nobody to sign as.',
  NoSuchRoute: 'No route of the configuration covers the path; the message lists the routes.',
  TokenIssuerUnavailable: 'The issuer of tokens is in trouble; try again later (`Retry-After`).',
  TokenRefused: 'The issuer refuses to issue a token; asking again will not help.',
  TokenUnavailable: 'The file with the token cannot be read or is empty.',
  TunnelNotReady: 'The VPN is not up or the server behind it is not reached; the body has the `state`.',
  UpstreamBusy:
    'No connection to the upstream became free in 30 s, or 1,024 requests wait already; try again later (`Retry-After`).',
  UpstreamCertificateRejected:
    'The TLS certificate of the upstream is not trusted. `--ca` adds one to trust.',
  UpstreamClosed: 'The upstream hung up before its answer was complete.',
  UpstreamFailed: 'The upstream could not be asked, for a reason without a name.',
  UpstreamInvalid: 'The upstream sent larger headers than are accepted.',
  UpstreamNotFound: 'The name of the upstream has no address, or cannot be looked up.',
  UpstreamRefused: 'The upstream refuses connections.',
  UpstreamTimeout: 'The upstream did not accept, answer or go on in time.',
  UpstreamTlsFailed: 'No TLS connection could be agreed on.',
  UpstreamUnreachable: 'There is no route to the upstream.',
};

/** Where codes stand in the code: the error body's first argument, and the tables of verdicts. */
const used = /(?:errorBody\(\s*|\[5\d\d, |\(5\d\d, |\? \[|: \[)'((?:[A-Z][a-z]+){2,})'/g;

export function errorReference(): string {
  const services = new Map<string, Set<string>>();
  for (const { service, text } of sourceFiles()) {
    for (const [, name = ''] of text.matchAll(used)) {
      services.set(name, (services.get(name) ?? new Set()).add(service));
    }
  }
  const missing = [...services.keys()].filter((name) => !(name in meanings));
  const unused = Object.keys(meanings).filter((name) => !services.has(name));
  if (missing.length + unused.length > 0) {
    throw new Error(
      `error codes without a meaning: ${missing.join(', ')}; without a use: ${unused.join(', ')}`,
    );
  }
  const rows = Object.entries(meanings).map(([name, meaning]) => [
    code(name),
    whose(services.get(name) ?? new Set()),
    meaning,
  ]);
  return table(['code', 'of', 'means'], rows);
}

function whose(services: Set<string>): string {
  return services.has('service-kit') ? 'all proxies' : [...services].sort().join(', ');
}
