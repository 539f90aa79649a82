import { z } from 'zod';
import type { CloudClient } from './cloud-client.ts';

/** A device as tasks see it: all that the cloud tells of it. */
export const Device = z.looseObject({
  id: z.number(),
  displayName: z.string(),
  online: z.boolean(),
  locked: z.boolean(),
});
export type Device = z.infer<typeof Device>;

/** What a phone has to be; as in `payload.capabilities.devices.phone` of a task. */
export const Capabilities = z.strictObject({
  type: z.string().min(1),
  build: z.string().min(1),
  memory: z.string().min(1),
  sims: z.string().min(1).optional(),
  imei: z.string().min(1).optional(),
  phone_number: z.string().min(1).optional(),
});
export type Capabilities = z.infer<typeof Capabilities>;

const Named = z.looseObject({ id: z.number(), displayName: z.string() });
const Property = z.looseObject({ propertyGroupName: z.string(), displayName: z.string() });

/** What a device must be labelled with: the label in each group of labels. */
export type Labels = Readonly<Record<string, string>>;

/** Groups of labels by capability; the build is one label together with the memory that it is for. */
const groups = { type: 'Codename', sims: 'SIMs', imei: 'IMEI', phone_number: 'Phone Number' } as const;

/** The label of a build, as flashing leaves it. */
export function buildLabel({ memory, build }: Capabilities): string {
  return `${memory}_${build}`;
}

/** Labels of a phone that needs no flashing. */
export function exactLabels(capabilities: Capabilities): Labels {
  return { ...hardwareLabels(capabilities), 'Build Identifier': buildLabel(capabilities) };
}

/** Labels of a phone that could be flashed. */
export function hardwareLabels(capabilities: Partial<Capabilities>): Labels {
  const entries = Object.entries(groups).flatMap(([capability, group]) => {
    const label = capabilities[capability as keyof typeof groups];
    return label === undefined ? [] : [[group, label]];
  });
  return Object.fromEntries(entries) as Labels;
}

export class Devices {
  readonly #cloud: CloudClient;

  constructor(cloud: CloudClient) {
    this.#cloud = cloud;
  }

  all(signal: AbortSignal): Promise<Device[]> {
    return this.#cloud.list('devices', Device, signal);
  }

  get(id: number, signal: AbortSignal): Promise<Device> {
    return this.#cloud.ask(`devices/${id}`, { method: 'GET', answer: Device, signal });
  }

  /** Devices that have all of the labels and can be had now, in random order. */
  async free(labels: Labels, signal: AbortSignal): Promise<Device[]> {
    const ids = await Promise.all(
      Object.entries(labels).map(([group, label]) => this.#labelId(group, label, signal)),
    );
    // A label that the cloud does not have is on no device, and it would ignore one that it is not asked for.
    if (ids.includes(undefined)) return [];
    const query = `label_id%5B%5D=${ids.join('%2C')}`;
    const found = await this.#cloud.list(`devices?${query}`, Device, signal);
    return shuffled(found.filter(({ online, locked }) => online && !locked));
  }

  /** Labels by the names of their groups, lower case with `_` for a space; a list where there are several. */
  async properties(id: number, signal: AbortSignal): Promise<Record<string, string | string[]>> {
    const properties: Record<string, string | string[]> = {};
    const labels = await this.#cloud.list(`devices/${id}/properties`, Property, signal);
    for (const { propertyGroupName, displayName } of labels) {
      const key = propertyGroupName.toLowerCase().replace(' ', '_');
      const known = properties[key];
      properties[key] = known === undefined ? displayName : [known, displayName].flat();
    }
    return properties;
  }

  async #labelId(group: string, label: string, signal: AbortSignal): Promise<number | undefined> {
    const inGroup = await this.#named('label-groups', group, signal);
    return inGroup && (await this.#named(`label-groups/${inGroup.id}/labels`, label, signal))?.id;
  }

  /** Search finds more than the name that is searched for. */
  async #named(path: string, name: string, signal: AbortSignal) {
    const found = await this.#cloud.list(`${path}?search=${encodeURIComponent(name)}`, Named, signal);
    return found.find(({ displayName }) => displayName.toLowerCase() === name.toLowerCase());
  }
}

/** Fisher and Yates: proxies that want the same kind of phone should not all ask for the same one first. */
function shuffled<Item>(items: Item[]): Item[] {
  for (let index = items.length - 1; index > 0; index--) {
    const other = Math.floor(Math.random() * (index + 1));
    [items[index], items[other]] = [items[other] as Item, items[index] as Item];
  }
  return items;
}
