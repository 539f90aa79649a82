import { z } from 'zod';

/** The schema of the value at `keys`; `undefined` where the schema leads nowhere. */
export function schemaAt(schema: z.core.$ZodType, keys: readonly PropertyKey[]): z.core.$ZodType | undefined {
  const [key, ...rest] = keys;
  const inner = unwrapped(schema);
  if (key === undefined) {
    return schema;
  }
  const child =
    inner instanceof z.ZodObject
      ? (inner.shape as Record<PropertyKey, z.core.$ZodType>)[key]
      : inner instanceof z.ZodRecord
        ? inner.valueType
        : inner instanceof z.ZodArray
          ? inner.element
          : undefined;
  return child === undefined ? undefined : schemaAt(child, rest);
}

/** The keys that an object schema knows; empty for anything else. */
export function keysOf(schema: z.core.$ZodType | undefined): string[] {
  const inner = schema === undefined ? undefined : unwrapped(schema);
  return inner instanceof z.ZodObject ? Object.keys(inner.shape) : [];
}

/** Places (as keys) of the objects below `schema` that know `name`. */
export function placesOf(name: string, schema: z.core.$ZodType, below: string[] = []): string[][] {
  const inner = unwrapped(schema);
  if (!(inner instanceof z.ZodObject)) {
    return [];
  }
  const shape = inner.shape as Record<string, z.core.$ZodType>;
  const deeper = Object.entries(shape).flatMap(([key, child]) => placesOf(name, child, [...below, key]));
  return Object.hasOwn(shape, name) ? [below, ...deeper] : deeper;
}

/** The first example that the schema gives for its values. */
export function exampleOf(schema: z.core.$ZodType | undefined): unknown {
  for (let inner = schema; inner !== undefined; inner = wrapped(inner)) {
    const { examples } = z.globalRegistry.get(inner) ?? {};
    if (Array.isArray(examples)) {
      return examples[0];
    }
  }
  return undefined;
}

function unwrapped(schema: z.core.$ZodType): z.core.$ZodType {
  const inner = wrapped(schema);
  return inner === undefined ? schema : unwrapped(inner);
}

function wrapped(schema: z.core.$ZodType): z.core.$ZodType | undefined {
  return schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault
    ? schema.unwrap()
    : undefined;
}
