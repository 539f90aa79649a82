export type { DeviceDescription } from './device-description.ts';
export {
  type FakeDeviceCloud,
  type FakeDeviceCloudOptions,
  startFakeDeviceCloud,
} from './fake-device-cloud.ts';
export type { Fault } from './faults.ts';
