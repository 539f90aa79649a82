import { satisfiesExpression } from 'taskcluster-lib-scopes';
import { workerPoolId } from '../../config/config.ts';
import type { Feature } from '../feature.ts';

const scope = 'docker-worker:capability:privileged';

/** `payload.capabilities.privileged`: the container runs as `docker run --privileged` does. */
export const privileged: Feature = {
  name: 'privileged',
  askedBy: ({ capabilities }) => capabilities?.privileged === true,
  defaultOn: false,
  problems({ task, config }) {
    const either = [scope, `${scope}:${workerPoolId(config)}`];
    const problems = [];
    if (!satisfiesExpression(task.scopes, { AnyOf: either })) {
      problems.push({
        path: 'scopes',
        message: `Insufficient scopes to run task in privileged mode. Add ${either.join(' or ')} to the .scopes array.`,
      });
    }
    if (!config.dockerConfig.allowPrivileged) {
      problems.push({
        path: 'payload.capabilities.privileged',
        message:
          'Error: Cannot run task using docker privileged mode: dockerConfig.allowPrivileged is off on this worker',
      });
    }
    return problems;
  },
  async prepare() {
    return { hostConfig: { Privileged: true } };
  },
};
