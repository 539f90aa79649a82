import { satisfiesExpression } from 'taskcluster-lib-scopes';
import { imageScope, registryCredentials } from '../config/registry-credentials.ts';
import type { FeatureRequest } from '../features/feature.ts';
import { compressionOf, isPublic, knownEndings } from '../images/artifact-path.ts';
import type { Problem } from '../problem.ts';

/** What forbids a task to use its image, as far as that is known before anybody has looked for it. */
export function imageProblems({ task, payload: { image }, config }: FeatureRequest): Problem[] {
  const unlessHeld = (what: string, scope: string): Problem[] =>
    satisfiesExpression(task.scopes, scope)
      ? []
      : [
          {
            path: 'scopes',
            message: `Not authorized to use ${what}. Try adding ${scope} to the .scopes array.`,
          },
        ];
  if (typeof image === 'string' || image.type === 'docker-image') {
    const name = typeof image === 'string' ? image : image.name;
    return registryCredentials(config, name) === undefined
      ? []
      : unlessHeld(`the image ${name}`, imageScope(name));
  }
  const problems: Problem[] = [];
  if (compressionOf(image.path) === undefined) {
    problems.push({
      path: 'payload.image.path',
      message: `unsupported kind of image archive; its name must end with one of ${knownEndings}`,
    });
  }
  if (!isPublic(image.path)) {
    problems.push(...unlessHeld(`the image artifact ${image.path}`, `queue:get-artifact:${image.path}`));
  }
  return problems;
}
