import type { Feature } from '../feature.ts';
import { uploadLog } from './upload-log.ts';

const artifact = 'public/logs/terminal_bulk.log.gz';

/** The whole log as one artifact at the end, for those who do not want it live. */
export const bulkLog: Feature = {
  name: 'bulkLog',
  description: 'Uploads the log as one artifact when the task has ended',
  defaultOn: true,
  enabledUnlessConfigured: false,
  artifactNames: () => [artifact],
  async openLog(run) {
    return {
      async onClosed() {
        await uploadLog(run, {
          name: artifact,
          contentType: 'text/plain; charset=utf-8',
        });
      },
    };
  },
};
