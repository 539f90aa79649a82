/** Every error code of Taskcluster's API that this package answers, with its HTTP status. */
const STATUS_OF = {
  InputError: 400,
  InputValidationError: 400,
  InvalidRequestArguments: 400,
  MalformedPayload: 400,
  AuthenticationFailed: 401,
  InsufficientScopes: 403,
  ResourceNotFound: 404,
  RequestConflict: 409,
  ResourceExpired: 410,
  InputTooLarge: 413,
  InternalServerError: 500,
} as const;

export type ErrorCode = keyof typeof STATUS_OF;

/** An error the caller is told about, in Taskcluster's form. */
export class ApiError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string) {
    super(message);
    this.name = 'ApiError';
    this.code = code;
  }

  get status(): number {
    return STATUS_OF[this.code];
  }
}

/** The caller lacks scopes. */
export class InsufficientScopes extends ApiError {
  /** What it lacks, as a scope expression. */
  readonly missing: unknown;
  /** Of the caller, if it has credentials. */
  readonly clientId: string | undefined;

  constructor(missing: unknown, clientId: string | undefined, message: string) {
    super('InsufficientScopes', message);
    this.missing = missing;
    this.clientId = clientId;
  }
}

/** What the error body repeats of the request; secrets are taken out before it is made. */
export interface RequestInfo {
  method: string;
  params: Record<string, string>;
  payload: unknown;
  time: string;
}

/** The body of an error response: the message ends with a `---` block that says which call it was. */
export function errorBody(error: ApiError, requestInfo: RequestInfo): object {
  const trailer = [
    '---',
    '',
    `* method:     ${requestInfo.method}`,
    `* errorCode:  ${error.code}`,
    `* statusCode: ${error.status}`,
    `* time:       ${requestInfo.time}`,
  ];
  return {
    code: error.code,
    message: [error.message, '', ...trailer].join('\n'),
    requestInfo,
  };
}
