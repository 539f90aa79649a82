declare module 'json-parameterization' {
  /** A copy of a document, with `{{name | filter}}` in its texts replaced by parameters. */
  function parameterize(document: unknown, parameters: Record<string, unknown>): unknown;
  export = parameterize;
}
