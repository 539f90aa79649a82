import fc from 'fast-check';

/** As much of a JSON schema as zod writes for the payload. */
interface Schema {
  type?: string;
  const?: unknown;
  enum?: unknown[];
  anyOf?: Schema[];
  oneOf?: Schema[];
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: Schema | boolean;
  minimum?: number;
}

/** What lets a payload come through to the engine, by the name of the property. */
const sound: Record<string, readonly unknown[]> = {
  image: ['docker-worker/example-task'],
  name: ['docker-worker/example-task'],
  maxRunTime: [5],
  command: [['true'], ['sh', '-c', 'exit 3'], ['cat', '/etc/hostname']],
  env: [{ NAME: 'value' }],
  cache: [{ soak: '/soak' }],
  artifacts: [{ 'public/hostname': { type: 'file', path: '/etc/hostname' } }],
  path: ['/etc/hostname', '/etc'],
  expires: [new Date(Date.now() + 3_600_000).toJSON()],
  log: ['public/logs/live.log'],
};

const hostile = [
  ...['', ' ', '.', '..', '/', '//', '../../etc/passwd', 'a/../../b', '__proto__', 'constructor', 'toString'],
  ...[
    'http://x',
    'http://127.0.0.1:1/',
    'unix:///var/run/docker.sock',
    'a?b=c',
    'a#b',
    'a%2e%2e',
    'a%',
    'a:b:c',
  ],
  ...[
    '\0',
    'a\0b',
    '\n',
    '\r\nHost: a',
    '\u202e',
    '\ud800',
    '😀',
    '"',
    "'",
    '`',
    '$(id)',
    '$HOME',
    '-v',
    '--help',
  ],
  ...[
    '[::1]',
    'a@sha256:00',
    '1e999',
    'NaN',
    'a'.repeat(5_000),
    '/'.repeat(500),
    '{"a":',
    '\u001b[2J',
    'a=b',
    '=',
  ],
];
const oddText = fc.oneof(
  fc.constantFrom(...hostile),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string(),
);
const oddNumber = fc.oneof(fc.integer(), fc.constantFrom(0, -1, 1, 2 ** 31, 2 ** 53, 1e20, 1e308, 0.5));

/** Without one the image's would run for as long as it may. */
const always = new Set(['command']);

/** Payloads that the schema allows, nearly all of them, with odd values in any of the fields. */
export function oddPayloads(schema: Schema): fc.Arbitrary<unknown> {
  return arbitrary(schema);
}

function arbitrary(schema: Schema, name?: string): fc.Arbitrary<unknown> {
  const odd = oddOf(schema);
  const known = name === undefined ? undefined : sound[name];
  return known === undefined
    ? odd
    : fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...known) }, { weight: 1, arbitrary: odd });
}

function oddOf(schema: Schema): fc.Arbitrary<unknown> {
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices !== undefined) {
    return fc.oneof(...choices.map((choice) => arbitrary(choice)));
  }
  if (schema.const !== undefined) {
    return fc.constant(schema.const);
  }
  if (schema.enum !== undefined) {
    return fc.constantFrom(...schema.enum);
  }
  switch (schema.type) {
    case 'object':
      return schema.properties === undefined ? dictionary(schema) : record(schema);
    case 'array':
      return fc.array(arbitrary(schema.items ?? {}), { maxLength: 4 });
    case 'integer':
    case 'number':
      return oddNumber;
    case 'boolean':
      // Most features need what no worker of a test has.
      return fc.nat({ max: 9 }).map((number) => number === 0);
    default:
      return oddText;
  }
}

function record({ properties = {}, required = [] }: Schema): fc.Arbitrary<unknown> {
  const values = Object.fromEntries(
    Object.entries(properties).map(([name, schema]) => {
      const value = arbitrary(schema, name);
      return [
        name,
        always.has(name) || required.includes(name) ? value : fc.option(value, { freq: 2, nil: undefined }),
      ];
    }),
  );
  return fc.record(values).map((object) => JSON.parse(JSON.stringify(object)) as unknown);
}

/** Not of fast-check's own: a name may be `__proto__`. */
function dictionary({ additionalProperties }: Schema): fc.Arbitrary<unknown> {
  const value = typeof additionalProperties === 'object' ? arbitrary(additionalProperties) : oddText;
  return fc
    .array(fc.tuple(oddText, value), { maxLength: 3 })
    .map((entries) => Object.fromEntries(entries) as unknown);
}
