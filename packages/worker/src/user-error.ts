/** What the person at the terminal reads instead of a stack trace: what is wrong and how to mend it. */
export class UserError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'UserError';
  }
}
