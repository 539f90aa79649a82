import { z } from 'zod';

/** A device as somebody who sets up a cloud describes it. */
export const DeviceDescription = z.strictObject({
  displayName: z.string(),
  online: z.boolean().default(true),
  locked: z.boolean().default(false),
  /** Its label in each label group, by the names of the groups. */
  labels: z.record(z.string(), z.string()),
});
export type DeviceDescription = z.input<typeof DeviceDescription>;

/** What the cloud owns unless it is told otherwise. */
export const usualDevices: DeviceDescription[] = [
  flame('flame 1', '319', 'https://example.com/builds/one/flame.zip'),
  flame('flame 2', '319', 'https://example.com/builds/one/flame.zip'),
  flame('flame 3', '512', 'https://example.com/builds/two/flame.zip'),
  {
    displayName: 'flame with a card',
    labels: {
      ...flame('', '319', 'https://example.com/builds/one/flame.zip').labels,
      SIMs: '1',
      IMEI: '356938035643809',
      'Phone Number': '+15550100',
    },
  },
];

function flame(displayName: string, memory: string, build: string): DeviceDescription {
  const labels = { Codename: 'flame', memory, 'Build Identifier': `${memory}_${build}`, SIMs: '0' };
  return { displayName, labels };
}
