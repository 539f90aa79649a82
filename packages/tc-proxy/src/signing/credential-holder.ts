import { ServiceError } from '@docker-worker/service-kit';
import { type CredentialSnapshot, type SnapshotContext, takeSnapshot } from './credential-snapshot.ts';
import { ProxyCredentials } from './proxy-credentials.ts';

/**
 * Holds the credentials in use. Each request takes the snapshot of its moment, so that replacing them
 * neither waits for requests nor holds any up.
 */
export class CredentialHolder {
  readonly #context: SnapshotContext;
  #current: CredentialSnapshot;

  constructor(credentials: ProxyCredentials, context: SnapshotContext) {
    this.#context = context;
    this.#current = takeSnapshot(credentials, context);
  }

  get current(): CredentialSnapshot {
    return this.#current;
  }

  /** Replaces all of the credentials, or throws a ServiceError that names what is wrong and changes nothing. */
  replace(input: unknown): void {
    const credentials = ProxyCredentials.safeParse(input);
    if (!credentials.success) {
      const problems = credentials.error.issues.map(
        (issue) => `${issue.path.join('.') || 'credentials'}: ${issue.message}`,
      );
      throw new ServiceError(`credentials are not valid: ${problems.join('; ')}`);
    }
    this.#current = takeSnapshot(credentials.data, this.#context);
  }
}
