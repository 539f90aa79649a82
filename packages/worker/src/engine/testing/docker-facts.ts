import { hostname, release, tmpdir } from 'node:os';

/** What a Docker Engine of a host of its own says of itself; `/version` and `/info`, as far as anybody looks. */
export const dockerFacts = {
  version: {
    Platform: { Name: '' },
    Components: [{ Name: 'Engine', Version: '20.10.24+dfsg1', Details: { ApiVersion: '1.41' } }],
    Version: '20.10.24+dfsg1',
    ApiVersion: '1.41',
    MinAPIVersion: '1.12',
    Os: 'linux',
    Arch: 'amd64',
  },
  info: {
    Name: 'another-host',
    KernelVersion: '6.1.0-18-amd64',
    OperatingSystem: 'Debian GNU/Linux 12 (bookworm)',
    DockerRootDir: '/var/lib/docker',
    Driver: 'overlay2',
    SecurityOptions: ['name=seccomp,profile=default'],
    MemoryLimit: true,
    CpuCfsPeriod: true,
    CpuCfsQuota: true,
    CPUSet: true,
    PidsLimit: true,
  },
};

export type EngineFacts = { [Key in keyof typeof dockerFacts]: object };

/** Of one on this host, which sees its files. */
export const factsOfThisHost: EngineFacts = {
  ...dockerFacts,
  info: { ...dockerFacts.info, Name: hostname(), KernelVersion: release(), DockerRootDir: tmpdir() },
};
