import { describe } from '@jest/globals';

/** Making a disk and booting an emulated machine, on a busy host. */
export const patienceMs = 1_800_000;

/** Tests in an emulated machine: too long for every run of all tests, so they are skipped unless somebody asks for them. */
export function machineSuite(name: string, tests: () => void): void {
  if (process.env.DOCKER_WORKER_VM_TESTS === '1') {
    describe(name, tests);
    return;
  }
  process.stderr.write(
    `skipped: ${name}, which takes minutes and a virtual machine; run it with "npm run test:vm"\n`,
  );
  // biome-ignore lint/suspicious/noSkippedTests: the reason is printed
  describe.skip(name, tests);
}
