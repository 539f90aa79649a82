import { newestDocker } from './newest-docker.ts';
import { rootfulPodman, rootlessPodman } from './podman.ts';
import { dockerBySsh, dockerByTls } from './remote-docker.ts';
import { rootfulDocker } from './rootful-docker.ts';
import { rootlessDocker } from './rootless-docker.ts';
import type { TestEngine } from './test-engine.ts';

export interface EngineKind {
  /** Programs that this machine must have for it. */
  needs: readonly string[];
  start: () => Promise<TestEngine>;
  /** Why it is started only when it is asked for. */
  onDemand?: string;
}

const rootless = ['newuidmap', 'slirp4netns'];

/** The engines that docker-worker is tested with, by the names that `npm run test:engines` takes. */
export const allEngines: Record<string, EngineKind> = {
  'docker-rootful': { needs: ['dockerd'], start: rootfulDocker },
  'docker-rootless': { needs: ['dockerd', 'rootlesskit', ...rootless], start: rootlessDocker },
  'docker-newest': {
    needs: ['mmdebstrap'],
    start: newestDocker,
    onDemand: 'it is what Debian has today: npm run test:engines -- docker-newest',
  },
  'docker-by-tls': { needs: ['dockerd'], start: dockerByTls },
  'docker-by-ssh': { needs: ['dockerd', 'dropbear', 'ssh'], start: dockerBySsh },
  'podman-rootful': { needs: ['podman', 'netavark'], start: rootfulPodman },
  'podman-rootless': { needs: ['podman', 'netavark', ...rootless], start: rootlessPodman },
};
