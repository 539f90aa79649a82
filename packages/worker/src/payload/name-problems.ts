import { parseImageReference } from '../engine/image-reference.ts';
import { type Problem, problemPath } from '../problem.ts';
import { isTaskId } from '../queue/task-id.ts';
import { quoted, valueAt } from './found.ts';

interface Rule {
  accepts(name: string): boolean;
  expected: string;
}

const imageName: Rule = {
  accepts: (name) => parseImageReference(name) !== undefined,
  expected: 'the name of a Docker image such as ubuntu:24.04',
};
const taskId: Rule = {
  accepts: isTaskId,
  expected: 'the id of a task: 22 letters, digits, "_" and "-"',
};
const artifactName: Rule = {
  accepts: isArtifactName,
  expected: 'the name of an artifact, which is 1 to 1024 printable ASCII characters and neither "." nor ".."',
};
const variableName: Rule = {
  accepts: (name) => /^[^=\0]+$/.test(name),
  expected: 'the name of a variable, which is not empty and has neither "=" nor a NUL byte',
};
const argument: Rule = {
  accepts: (text) => !text.includes('\0'),
  expected: 'text without a NUL byte, which no program can be given',
};
const namespace: Rule = {
  accepts: (name) => /^([a-zA-Z0-9_!~*'()%-]+\.)*[a-zA-Z0-9_!~*'()%-]+$/.test(name) && name.length <= 255,
  expected: 'a namespace of the index such as project.images.v1.latest',
};

/** Whether the queue takes it. */
export function isArtifactName(name: string): boolean {
  return /^[\x20-\x7e]{1,1024}$/.test(name) && !/^\.{1,2}$/.test(name);
}

/**
 * Names that the schema takes and that nothing can be called: they would end up in addresses of the queue, the
 * index and the engine. What has the wrong type is left to the schema.
 */
export function nameProblems(raw: unknown, root: string): Problem[] {
  const check = (keys: PropertyKey[], rule: Rule, name = valueAt(raw, keys)): Problem[] =>
    typeof name !== 'string' || rule.accepts(name)
      ? []
      : [
          {
            path: problemPath(root, keys),
            message: `found the text ${quoted(name)}, expected ${rule.expected}`,
            keys,
          },
        ];
  return [
    ...check(['image'], imageName),
    ...imageObjectProblems(valueAt(raw, ['image', 'type']), check),
    ...keysOfMapping(valueAt(raw, ['artifacts'])).flatMap((name) =>
      check(['artifacts', name], artifactName, name),
    ),
    ...keysOfMapping(valueAt(raw, ['env'])).flatMap((name) => [
      ...check(['env', name], variableName, name),
      ...check(['env', name], argument),
    ]),
    ...keysOfMapping(valueAt(raw, ['command'])).flatMap((index) =>
      check(['command', Number(index)], argument),
    ),
    // Without a name it has the usual one.
    ...(valueAt(raw, ['log']) === '' ? [] : check(['log'], artifactName)),
  ];
}

function keysOfMapping(value: unknown): string[] {
  return typeof value === 'object' && value !== null ? Object.keys(value) : [];
}

function imageObjectProblems(
  type: unknown,
  check: (keys: PropertyKey[], rule: Rule) => Problem[],
): Problem[] {
  switch (type) {
    case 'docker-image':
      return check(['image', 'name'], imageName);
    case 'task-image':
      return [...check(['image', 'taskId'], taskId), ...check(['image', 'path'], artifactName)];
    case 'indexed-image':
      return [...check(['image', 'namespace'], namespace), ...check(['image', 'path'], artifactName)];
    default:
      return [];
  }
}
