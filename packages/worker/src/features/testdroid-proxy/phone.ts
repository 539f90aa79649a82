import { satisfiesExpression } from 'taskcluster-lib-scopes';
import { settingsOf, workerPoolId } from '../../config/config.ts';
import type { Feature } from '../feature.ts';
import { settings } from './settings.ts';

const scope = 'docker-worker:capability:device:phone';

/** `payload.capabilities.devices.phone`: which phone `testdroidProxy` is to borrow, and the right to do so. */
export const phone: Feature = {
  name: 'phone',
  askedBy: ({ capabilities }) => capabilities?.devices?.phone !== undefined,
  defaultOn: false,
  async problems({ task, config, expandedScopes }) {
    const either = [scope, `${scope}:${workerPoolId(config)}`];
    const isGranted = (scopes: string[]) => satisfiesExpression(scopes, { AnyOf: either });
    const problems = [];
    if (settingsOf(config, settings).testdroid === undefined) {
      problems.push({
        path: 'payload.capabilities.devices.phone',
        message: 'phone is not available on this worker: its configuration has no "testdroid"',
      });
    }
    if (!isGranted(task.scopes) && !isGranted(await expandedScopes())) {
      problems.push({
        path: 'scopes',
        message: `Insufficient scopes to attach devices. The task needs ${JSON.stringify({ AnyOf: either })}`,
      });
    }
    return problems;
  },
};
