/** A failure whose message is written for the user and holds no secret. */
export class ServiceError extends Error {
  override name = 'ServiceError';
}
