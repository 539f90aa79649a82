import { type Problem, problemPath } from '../problem.ts';

/** No schema goes deeper; what does is refused for that. */
const deepest = 16;

/** Every key `__proto__` in a document: to JavaScript it is no key like others, and schemas pass over it. */
export function prototypeKeys(document: unknown, root: string, keys: readonly PropertyKey[] = []): Problem[] {
  if (typeof document !== 'object' || document === null || keys.length > deepest) {
    return [];
  }
  return Object.entries(document).flatMap(([name, value]) => {
    const below = [...keys, Array.isArray(document) ? Number(name) : name];
    const message = 'nothing may be called __proto__; choose another name';
    return name === '__proto__'
      ? [{ path: problemPath(root, below), message, keys: below }]
      : prototypeKeys(value, root, below);
  });
}
