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
  accepts: (name) => /^[\x20-\x7e]{1,1024}$/.test(name) && !/^\.{1,2}$/.test(name),
  expected: 'the name of an artifact, which is 1 to 1024 printable ASCII characters and neither "." nor ".."',
};
const namespace: Rule = {
  accepts: (name) => /^([a-zA-Z0-9_!~*'()%-]+\.)*[a-zA-Z0-9_!~*'()%-]+$/.test(name) && name.length <= 255,
  expected: 'a namespace of the index such as project.images.v1.latest',
};

/**
 * Names that the schema takes and that nothing can be called: they would end up in addresses of the queue, the
 * index and the engine. What has the wrong type is left to the schema.
 */
export function nameProblems(raw: unknown, root: string): Problem[] {
  const check = (keys: string[], rule: Rule, name = valueAt(raw, keys)): Problem[] =>
    typeof name !== 'string' || rule.accepts(name)
      ? []
      : [
          {
            path: problemPath(root, keys),
            message: `found the text ${quoted(name)}, expected ${rule.expected}`,
            keys,
          },
        ];
  const artifacts = valueAt(raw, ['artifacts']);
  return [
    ...check(['image'], imageName),
    ...imageObjectProblems(valueAt(raw, ['image', 'type']), check),
    ...(typeof artifacts === 'object' ? Object.keys(artifacts ?? {}) : []).flatMap((name) =>
      check(['artifacts', name], artifactName, name),
    ),
    // Without a name it has the usual one.
    ...(valueAt(raw, ['log']) === '' ? [] : check(['log'], artifactName)),
  ];
}

function imageObjectProblems(type: unknown, check: (keys: string[], rule: Rule) => Problem[]): Problem[] {
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
