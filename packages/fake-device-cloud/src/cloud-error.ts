/** Answered as the cloud words its refusals: `{statusCode, message}`. */
export class CloudError extends Error {
  readonly statusCode: number;

  constructor(statusCode: number, message: string) {
    super(message);
    this.name = 'CloudError';
    this.statusCode = statusCode;
  }
}
