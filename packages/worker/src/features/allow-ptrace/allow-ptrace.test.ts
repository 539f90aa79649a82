import { expect, test } from '@jest/globals';
import { seccompFor } from './allow-ptrace.ts';

test.each(['4.8.0', '4.19.0-27-amd64', '5.10.0', '6.18.44', '10.1'])(
  'seccomp stays as Docker has it on Linux %s',
  (kernel) => {
    expect(seccompFor(kernel, false)).toEqual([]);
  },
);

test.each(['4.7.10', '4.4.0-210-generic', '3.10.0-1160.el7.x86_64'])(
  'seccomp, which forbids tracing on Linux %s, is off unless the capability lifts that',
  (kernel) => {
    expect(seccompFor(kernel, false)).toEqual(['seccomp=unconfined']);
    expect(seccompFor(kernel, true)).toEqual([]);
  },
);
