import { gatewayError } from '@docker-worker/service-kit';

/**
 * Why there is no token. 502: the issuer has refused, asking again will not help; 503: it is in trouble,
 * the client may try again later. The message is written for the client and holds no secret.
 */
export class IssuerError extends Error {
  readonly statusCode: 502 | 503;
  readonly code: string;

  constructor(statusCode: 502 | 503, code: string, message: string) {
    super(message);
    this.name = 'IssuerError';
    this.statusCode = statusCode;
    this.code = code;
  }

  static refused(host: string, reason: string): IssuerError {
    return new IssuerError(502, 'TokenRefused', `${host} issues no token: ${reason}`);
  }

  static unavailable(host: string, reason: string): IssuerError {
    return new IssuerError(503, 'TokenIssuerUnavailable', `${host} cannot issue a token now: ${reason}`);
  }

  /** The network's or undici's error. */
  static unreachable(host: string, error: unknown): IssuerError {
    const { body } = gatewayError(error, { method: 'POST', host });
    return new IssuerError(503, 'TokenIssuerUnavailable', `no token: ${body.message}`);
  }
}
