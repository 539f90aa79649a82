import { type ErrorBody, errorBody } from '../server/error-body.ts';

export interface GatewayError {
  statusCode: 502 | 503 | 504;
  body: ErrorBody;
  /** Beside those that describe the body. */
  headers: Record<string, string>;
}

/** What was asked of whom. Only method and host: paths and queries may hold secrets. */
export interface FailedRequest {
  method: string;
  /** Host, with the port if there is one. */
  host: string;
}

type Verdict = [statusCode: 502 | 503 | 504, code: string, what: string];

const verdicts: Record<string, Verdict> = {
  ECONNREFUSED: [502, 'UpstreamRefused', 'refused the connection'],
  ECONNRESET: [502, 'UpstreamClosed', 'closed the connection before its answer was complete'],
  EPIPE: [502, 'UpstreamClosed', 'closed the connection before its answer was complete'],
  UND_ERR_SOCKET: [502, 'UpstreamClosed', 'closed the connection before its answer was complete'],
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: [502, 'UpstreamClosed', 'sent less or more than it announced'],
  ENOTFOUND: [502, 'UpstreamNotFound', 'has no address'],
  EAI_AGAIN: [502, 'UpstreamNotFound', 'could not be looked up'],
  EHOSTUNREACH: [502, 'UpstreamUnreachable', 'cannot be reached'],
  ENETUNREACH: [502, 'UpstreamUnreachable', 'cannot be reached'],
  UND_ERR_HEADERS_OVERFLOW: [502, 'UpstreamInvalid', 'sent larger headers than are accepted'],
  UND_ERR_CONNECT_TIMEOUT: [504, 'UpstreamTimeout', 'did not accept a connection in time'],
  ETIMEDOUT: [504, 'UpstreamTimeout', 'did not accept a connection in time'],
  UND_ERR_HEADERS_TIMEOUT: [504, 'UpstreamTimeout', 'did not answer in time'],
  UND_ERR_BODY_TIMEOUT: [504, 'UpstreamTimeout', 'stopped sending'],
  UPSTREAM_BUSY: [503, 'UpstreamBusy', 'has no free connection: too many requests are under way'],
};

/** Seconds after which it is worth to try again. */
const retryAfter = '5';

const unknown: Verdict = [502, 'UpstreamFailed', 'could not be asked'];

/** Turns what undici or the network reported into the answer for the client; it holds no secret. */
export function gatewayError(error: unknown, { method, host }: FailedRequest): GatewayError {
  const code = codeOf(error);
  const [statusCode, name, what] = verdicts[code] ?? tlsVerdict(code) ?? unknown;
  const detail = code === '' ? '' : ` (${code})`;
  const body = errorBody(name, `${host} ${what}${detail}`, method);
  return { statusCode, body, headers: statusCode === 503 ? { 'Retry-After': retryAfter } : {} };
}

/** Several attempts (IPv6 and IPv4) fail as one AggregateError; its parts know why. */
function codeOf(error: unknown): string {
  const { code, errors, cause } = (error ?? {}) as { code?: unknown; errors?: unknown[]; cause?: unknown };
  if (typeof code === 'string' && code !== '') return code;
  if (Array.isArray(errors) && errors.length > 0) return codeOf(errors[0]);
  return cause ? codeOf(cause) : '';
}

function tlsVerdict(code: string): Verdict | undefined {
  if (/CERT|SELF_SIGNED|UNABLE_TO_/.test(code)) {
    return [502, 'UpstreamCertificateRejected', 'has a TLS certificate that is not trusted'];
  }
  if (/SSL|TLS|EPROTO/.test(code)) return [502, 'UpstreamTlsFailed', 'could not agree on a TLS connection'];
  return undefined;
}
