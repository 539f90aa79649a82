/** Of a container that ends with this process, which holds its standard input open and reads what it says. */
export const heldOpen = {
  OpenStdin: true,
  StdinOnce: true,
  AttachStdin: true,
  AttachStdout: true,
  AttachStderr: true,
  // What it says tells more, and sooner, than a probe from outside.
  Healthcheck: { Test: ['NONE'] },
};
