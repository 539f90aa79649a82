/** The cloud refused, failed or was not reached. The message is for people and holds no secret. */
export class CloudError extends Error {
  override name = 'CloudError';
  /** Absent when there was no answer. */
  readonly status: number | undefined;

  constructor(message: string, status?: number) {
    super(message);
    this.status = status;
  }

  /** Whether the same request may succeed a moment later. */
  get mayPass(): boolean {
    return this.status === undefined || this.status >= 500 || this.status === 429;
  }
}
