import { listen, type RunningService, type ServiceContext } from '@docker-worker/service-kit';
import { Borrowing } from './borrowing.ts';
import { buildUrl } from './build-url.ts';
import { Flashing } from './cloud/flashing.ts';
import { createCloud } from './create-cloud.ts';
import { createDeviceApp } from './device-app.ts';
import { TestdroidConfig } from './testdroid-config.ts';

export { TestdroidConfig as config };

/** Serves at once; the cloud is asked nothing before a client wants something. */
export async function start(config: TestdroidConfig, context: ServiceContext): Promise<RunningService> {
  const { logger, announce, learnSecret, version } = context;
  const cloud = createCloud(config, learnSecret);
  let { credentials } = config;
  const { deviceTimeout, flash, rootUrl, authorizedScopes } = config;
  const borrowing = new Borrowing({
    acquire: {
      ...config,
      devices: cloud.devices,
      sessions: cloud.sessions,
      flashing: flash && {
        run: new Flashing(cloud.client, cloud.devices, {
          project: flash.project,
          pollMs: flash.pollSeconds * 1000,
          limitMs: flash.limitSeconds * 1000,
        }),
        parameters: {
          url: flash.urlParameter,
          memory: flash.memoryParameter,
          label: flash.labelParameter,
        },
      },
      sign(build) {
        const signed = buildUrl(build, { rootUrl, credentials, authorizedScopes });
        if (signed !== build) learnSecret(signed.slice(build.length));
        return signed;
      },
    },
    sessions: cloud.sessions,
    deviceTimeout,
    logger,
    onSession: (event) => context.emit(event),
  });
  const app = createDeviceApp({
    borrowing,
    devices: cloud.devices,
    proxyHost: config.proxyHost,
    version,
    logger,
  });
  const port = await listen(app, config.port, config.address);

  announce(`Testdroid proxy ${version} for ${config.cloudUrl}`);
  announce(
    flash === undefined ? 'Devices are not flashed' : `Devices are flashed by the project ${flash.project}`,
  );
  announce(`Serving on ${config.address ?? 'all interfaces'} port ${port}`);

  return {
    port,
    applyCredentials(next) {
      credentials = next;
    },
    health: () => {
      const { state } = borrowing.state;
      return { device: state };
    },
    drain: async () => {
      const closed = app.close();
      await borrowing.close();
      await closed;
    },
    destroy: async () => {
      app.server.closeAllConnections();
      await cloud[Symbol.asyncDispose]();
    },
  };
}
