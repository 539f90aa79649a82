import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { Ajv, type SchemaObject } from 'ajv';
import addFormats from 'ajv-formats';
import fc from 'fast-check';
import { parse } from 'yaml';
import { z } from 'zod';
import { payloadSchemaFor } from '../features/payload-schema.ts';

const file = new URL('../../test-data/payload-schema.yml', import.meta.url);
const Payload = payloadSchemaFor();
const text = { type: 'string' };
const phone = {
  type: 'object',
  properties: { type: text, sims: text, build: text, memory: text, imei: text, phone_number: text },
  required: ['type', 'sims', 'build', 'memory'],
  additionalProperties: false,
};
const droppedFeatures = [
  'dind',
  'dockerSave',
  'balrogVPNProxy',
  'balrogStageVPNProxy',
  'relengAPIProxy',
  'testdroidProxy',
];

/** The published schema with what its last version had dropped. */
function publishedSchema(): SchemaObject {
  const { $schema: _, ...schema } = parse(readFileSync(file, 'utf8'));
  for (const feature of droppedFeatures) {
    schema.properties.features.properties[feature] = { type: 'boolean' };
  }
  schema.properties.capabilities.properties.devices.properties.phone = phone;
  return schema;
}

function validator(schema: SchemaObject) {
  const ajv = new Ajv({ strict: false });
  // Its types describe the CommonJS export.
  (addFormats as unknown as (ajv: Ajv) => void)(ajv);
  return ajv.compile(schema);
}

const accepts = validator(publishedSchema());

// Names that occur in the schema at any place, so that they also turn up at the wrong ones.
const names = [
  ...['image', 'maxRunTime', 'command', 'env', 'cache', 'artifacts', 'capabilities', 'features', 'log'],
  ...['onExitStatus', 'retry', 'purgeCaches', 'supersederUrl', 'privileged', 'disableSeccomp', 'devices'],
  ...['kvm', 'loopbackVideo', 'phone', 'type', 'path', 'name', 'namespace', 'taskId', 'expires', 'bulkLog'],
  ...['sims', 'build', 'memory', 'imei', 'phone_number', 'dind', 'interactive', 'cmd', 'toString', ''],
];
const words = [
  ...[
    'docker-image',
    'indexed-image',
    'task-image',
    'file',
    'directory',
    'volume',
    'true',
    '1',
    'ubuntu:24.04',
  ],
  ...['2030-01-31T12:00:00Z', '2030-01-31 12:00:00.5+01', '2030-02-30T12:00:00Z', '2030-01-31T12:00:00'],
  ...['2016-12-31T23:59:60Z', '2016-12-31T22:59:60Z', '2030-01-31T24:00:00Z', '2030-01-31T12:00:00-24:00'],
];

const anything = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom<unknown>(null, true, false, 0, 1, -1, 1.5, 3600, 1e20, ...words),
    fc.string({ maxLength: 5 }),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...names), tie('value'), { maxKeys: 3 }),
  ),
})).value;

const string = fc.oneof(fc.constantFrom(...words), fc.string({ maxLength: 8 }));
// A record of this name is a prototype to JavaScript; zod leaves it out and does not look at it.
const name = fc
  .oneof(fc.constantFrom(...names), fc.string({ maxLength: 8 }))
  .filter((key) => key !== '__proto__');
const textMap = fc.dictionary(name, string, { maxKeys: 3 });
const integer = fc.oneof(fc.integer(), fc.constantFrom(1e20, 2 ** 53));

function optional<T>(properties: Record<string, fc.Arbitrary<T>>, ...requiredKeys: string[]) {
  return fc.record(properties, { requiredKeys, noNullPrototype: true });
}

const image = fc.oneof(
  string,
  optional({ type: fc.constant('docker-image'), name: string }, 'type', 'name'),
  optional(
    { type: fc.constant('indexed-image'), namespace: string, path: string },
    'type',
    'namespace',
    'path',
  ),
  optional({ type: fc.constant('task-image'), taskId: string, path: string }, 'type', 'taskId', 'path'),
);
const features = optional(
  Object.fromEntries(
    [...Object.keys(publishedSchema().properties.features.properties)].map((key) => [key, fc.boolean()]),
  ),
);
const phoneValue = optional(
  Object.fromEntries(Object.keys(phone.properties).map((key) => [key, string])),
  ...phone.required,
);
const validPayload = optional<unknown>(
  {
    image,
    maxRunTime: fc.integer({ min: 1 }),
    command: fc.array(string, { maxLength: 3 }),
    env: textMap,
    cache: textMap,
    artifacts: fc.dictionary(
      name,
      optional(
        {
          type: fc.constantFrom('file', 'directory', 'volume'),
          path: string,
          expires: fc
            .date({ noInvalidDate: true, min: new Date(0), max: new Date(4e12) })
            .map((date) => date.toJSON()),
        },
        'type',
        'path',
      ),
      { maxKeys: 3 },
    ),
    capabilities: optional<unknown>({
      privileged: fc.boolean(),
      disableSeccomp: fc.boolean(),
      devices: optional<unknown>({ kvm: fc.boolean(), loopbackAudio: fc.boolean(), phone: phoneValue }),
    }),
    features,
    onExitStatus: optional({ retry: fc.array(integer), purgeCaches: fc.array(integer) }),
    log: string,
    supersederUrl: string,
  },
  'image',
  'maxRunTime',
);

/** A valid payload in which one thing is replaced, added or removed at a random place. */
const mutatedPayload = fc
  .tuple(
    validPayload,
    fc.array(fc.nat(), { minLength: 1, maxLength: 4 }),
    fc.constantFrom(...names),
    anything,
  )
  .map(([payload, steps, addedName, value]) => mutated(payload, steps, addedName, value));

function mutated(payload: unknown, steps: number[], addedName: string, value: unknown): unknown {
  const copy = structuredClone(payload) as Record<string, unknown>;
  let target = copy;
  for (const [depth, step] of steps.entries()) {
    const keys = Object.keys(target);
    const key = keys[step % Math.max(1, keys.length)] ?? addedName;
    const child = target[key];
    if (depth < steps.length - 1 && typeof child === 'object' && child !== null) {
      target = child as Record<string, unknown>;
      continue;
    }
    if (step % 3 === 0) {
      delete target[key];
    } else {
      target[step % 3 === 1 ? key : addedName] = value;
    }
    break;
  }
  return copy;
}

test('the published schema and ours accept the same valid payloads', () => {
  fc.assert(
    fc.property(validPayload, (payload) => {
      expect(accepts(payload)).toBe(true);
      expect(Payload.safeParse(payload).error).toBeUndefined();
    }),
    { numRuns: 1000 },
  );
});

test('the published schema and ours agree on damaged payloads', () => {
  let refused = 0;
  fc.assert(
    fc.property(mutatedPayload, (payload) => {
      const accepted = accepts(payload);
      refused += accepted ? 0 : 1;
      expect(Payload.safeParse(payload).success).toBe(accepted);
    }),
    { numRuns: 2500 },
  );
  expect(refused).toBeGreaterThan(500);
});

test('the published schema and ours agree on JSON of any shape', () => {
  fc.assert(
    fc.property(anything, (payload) => {
      expect(Payload.safeParse(payload).success).toBe(accepts(payload));
    }),
    { numRuns: 500 },
  );
});

test('the published schema and ours agree on what a time is', () => {
  const digits = (max: number) => fc.nat({ max }).map((number) => String(number).padStart(2, '0'));
  const time = fc
    .tuple(
      ...[fc.constantFrom('2000', '1900', '2024', '2030'), digits(13), digits(32), digits(25), digits(61)],
      ...[digits(61), fc.constantFrom('', '.5', '.'), fc.constantFrom('T', 't', ' ', '_', '')],
      fc.constantFrom('Z', 'z', '', '+01:00', '-0130', '+23', '+24', '+01:60'),
    )
    .map(
      ([year, month, day, hour, minute, second, fraction, separator, zone]) =>
        `${year}-${month}-${day}${separator}${hour}:${minute}:${second}${fraction}${zone}`,
    );
  fc.assert(
    fc.property(fc.oneof(time, fc.constantFrom(...words)), (expires) => {
      const payload = { image: 'a', maxRunTime: 1, artifacts: { a: { type: 'file', path: '/a', expires } } };
      expect(Payload.safeParse(payload).success).toBe(accepts(payload));
    }),
    { numRuns: 2000 },
  );
});

test('the JSON schema made of ours accepts and refuses the same as the published one', () => {
  const { $schema: _, ...schema } = z.toJSONSchema(Payload, { io: 'input' });
  const acceptsOurs = validator(schema);
  fc.assert(
    fc.property(mutatedPayload, (payload) => {
      expect(acceptsOurs(payload)).toBe(accepts(payload));
    }),
    { numRuns: 1000 },
  );
});

test('parsing leaves the task definition as it is', () => {
  const payload = Object.freeze({ image: 'a', maxRunTime: 1 });

  const parsed = Payload.parse(payload);

  expect(parsed.log).toBe('public/logs/live.log');
  expect(payload).toEqual({ image: 'a', maxRunTime: 1 });
});
