import { z } from 'zod';

const device = z.strictObject({ enabled: z.boolean() });

/** Which devices of the host tasks may ask for. One that the host does not have is told to who asks for it. */
const deviceManagement = z
  .strictObject({
    loopbackVideo: device.prefault({ enabled: true }),
    loopbackAudio: device.prefault({ enabled: true }),
    hostSharedMemory: device.prefault({ enabled: true }),
    kvm: device.prefault({ enabled: true }),
    phone: z
      .strictObject({
        enabled: z.boolean().default(false),
        type: z.string().optional(),
        sims: z.string().optional(),
      })
      .prefault({})
      .describe(
        'Whether no more tasks are claimed than phones of this kind are free in the cloud of "testdroid".',
      ),
    cpu: device
      .prefault({ enabled: false })
      .describe('Gives each task a core of its own, as restrictCPU does.'),
    directory: z
      .string()
      .startsWith('/')
      .default('/dev')
      .describe('Where the device nodes of the host are found.'),
  })
  .prefault({})
  .describe('Devices of the host that tasks with the scopes may use.');

const restrictCPU = z
  .boolean()
  .default(false)
  .describe('One task per core, each on a core of its own; `capacity` does not count then.');

export const settings = { deviceManagement, restrictCPU };
