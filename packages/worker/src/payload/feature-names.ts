import { z } from 'zod';

const descriptions = {
  localLiveLog: 'Serves the log while the task runs, and keeps it as an artifact afterwards',
  bulkLog: 'Uploads the log as one artifact when the task has ended',
  taskclusterProxy: 'Lets the task call Taskcluster with its own scopes at $TASKCLUSTER_PROXY_URL',
  artifacts: 'Uploads the artifacts that the payload declares',
  interactive: 'Lets people open a shell in the task container',
  allowPtrace: 'Lets the task trace processes with ptrace',
  chainOfTrust: 'Signs a list of the artifacts and of the environment they were made in',
  dind: 'Gives the task a Docker daemon of its own at /var/run/docker.sock',
  dockerSave: 'Uploads the task container as an image when the task has ended',
  balrogVPNProxy: 'Reaches the Balrog admin server at http://balrog',
  balrogStageVPNProxy: 'Reaches the Balrog stage admin server at http://balrog',
  relengAPIProxy: 'Calls the RelengAPI at http://relengapi with the permissions of the task’s scopes',
  testdroidProxy: 'Borrows a phone from Testdroid for the task, reached at http://testdroid',
} as const;

export type FeatureName = keyof typeof descriptions;

export const featureNames = Object.keys(descriptions) as FeatureName[];

type FeatureShape = Record<FeatureName, z.ZodOptional<z.ZodBoolean>>;

/**
 * Which features the task asks for. A key that is absent is not the same as `false`: then the worker decides,
 * so no defaults are filled in.
 */
export const Features = z
  .strictObject(
    Object.fromEntries(
      featureNames.map((name) => [name, z.boolean().optional().describe(descriptions[name])]),
    ) as FeatureShape,
  )
  .describe('Features that the task turns on or off');
export type Features = z.infer<typeof Features>;
