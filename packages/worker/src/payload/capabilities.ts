import { z } from 'zod';

export const Phone = z
  .strictObject({
    type: z.string().describe('Kind of device, such as `flame`'),
    sims: z.string().describe('Number of SIM cards'),
    build: z.string().describe('Address of the build to flash'),
    memory: z.string().describe('Megabytes of memory'),
    imei: z.string().optional(),
    phone_number: z.string().optional(),
  })
  .describe('What the phone that `testdroidProxy` borrows has to offer');
export type Phone = z.infer<typeof Phone>;

export const Devices = z
  .strictObject({
    loopbackVideo: z.boolean().optional().describe('A video loopback device (v4l2loopback)'),
    loopbackAudio: z.boolean().optional().describe('An audio loopback device (snd-aloop)'),
    hostSharedMemory: z.boolean().optional().describe('The host’s /dev/shm'),
    kvm: z.boolean().optional().describe('The host’s /dev/kvm'),
    phone: Phone.optional(),
  })
  .describe('Devices of the host that the task container gets; each needs a scope');
export type Devices = z.infer<typeof Devices>;

export const Capabilities = z
  .strictObject({
    privileged: z
      .boolean()
      .optional()
      .describe('Runs the container as `docker run --privileged` does; the worker has to allow it'),
    disableSeccomp: z.boolean().optional().describe('Accepted for old tasks and ignored'),
    devices: Devices.optional(),
  })
  .describe('Powers over the host that the task needs');
export type Capabilities = z.infer<typeof Capabilities>;
