import type { RunAbort } from '../../run/run-abort.ts';
import type { Feature } from '../feature.ts';
import { cacheArtifact, imageArtifact, saveContainer } from './save-container.ts';
import { settings } from './settings.ts';

/**
 * The container as it was when the task ended, as the artifact `public/dockerImage.tar`, and what is in the
 * task's caches as `public/cache/<name>.tar`. Not of a run that was cancelled or that other workers get.
 */
export const dockerSave: Feature = {
  name: 'dockerSave',
  description: 'Uploads the task container as an image when the task has ended',
  settings,
  defaultOn: false,
  artifactNames: ({ cache }) => [imageArtifact, ...Object.keys(cache ?? {}).map(cacheArtifact)],
  async prepare(run, payload) {
    return {
      async onExited(container, signal) {
        if (run.host.stopping.aborted) {
          run.log.worker('dockerSave: the container is not saved, because the worker shuts down');
          return;
        }
        if (run.signal.aborted && (run.signal.reason as RunAbort).resolution.kind === 'none') {
          return;
        }
        await saveContainer(run, container, payload, signal);
      },
    };
  },
};
