/** What was downloaded is no image, or none that this worker loads. */
export class InvalidArchive extends Error {
  constructor(reason: string) {
    super(`The image archive was refused: ${reason}`);
    this.name = 'InvalidArchive';
  }
}
