import { CloudError } from './cloud-error.ts';
import { DeviceDescription } from './device-description.ts';

export interface Label {
  id: number;
  displayName: string;
  propertyGroupId: number;
  propertyGroupName: string;
}

export interface LabelGroup {
  id: number;
  displayName: string;
  labels: Label[];
}

export interface Device {
  id: number;
  displayName: string;
  online: boolean;
  locked: boolean;
  labelIds: Set<number>;
}

/** The devices of the cloud and the labels that they are found by. */
export class Devices {
  readonly groups: LabelGroup[] = [];
  readonly all: Device[] = [];
  #nextId = 25;

  constructor(descriptions: readonly DeviceDescription[]) {
    for (const description of descriptions) this.add(description);
  }

  add(description: DeviceDescription): Device {
    const { labels, ...rest } = DeviceDescription.parse(description);
    const device = { id: this.#id(), ...rest, labelIds: new Set<number>() };
    this.all.push(device);
    for (const [group, label] of Object.entries(labels)) this.putLabel(device, group, label);
    return device;
  }

  get(id: number): Device {
    const device = this.all.find((candidate) => candidate.id === id);
    if (!device) throw new CloudError(404, `Device with id ${id} not found`);
    return device;
  }

  /** Those that have all of the labels. */
  withLabels(ids: readonly number[]): Device[] {
    return this.all.filter(({ labelIds }) => ids.every((id) => labelIds.has(id)));
  }

  /** Takes the place of what the device has in that group; group and label are made when there are none. */
  putLabel(device: Device, groupName: string, name: string): void {
    const group = this.#group(groupName);
    for (const { id } of group.labels) device.labelIds.delete(id);
    device.labelIds.add(this.#label(group, name).id);
  }

  labelsOf({ labelIds }: Device): Label[] {
    return this.groups.flatMap(({ labels }) => labels.filter(({ id }) => labelIds.has(id)));
  }

  /** As the API shows a device. */
  view({ labelIds: _, ...device }: Device) {
    return { ...device, enabled: true, osType: 'ANDROID', creditsPrice: 0 };
  }

  #group(displayName: string): LabelGroup {
    const known = this.groups.find((group) => group.displayName === displayName);
    if (known) return known;
    const group = { id: this.#id(), displayName, labels: [] };
    this.groups.push(group);
    return group;
  }

  #label(group: LabelGroup, displayName: string): Label {
    const known = group.labels.find((label) => label.displayName === displayName);
    if (known) return known;
    const { id: propertyGroupId, displayName: propertyGroupName } = group;
    const label = { id: this.#id(), displayName, propertyGroupId, propertyGroupName };
    group.labels.push(label);
    return label;
  }

  #id(): number {
    return this.#nextId++;
  }
}
