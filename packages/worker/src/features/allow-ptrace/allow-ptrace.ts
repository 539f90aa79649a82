import { readFileSync } from 'node:fs';
import { settingsOf } from '../../config/config.ts';
import type { EngineCapabilities } from '../../engine/capabilities.ts';
import { ownerTag } from '../../ownership/owner-tag.ts';
import type { Run } from '../../run/run.ts';
import type { Contribution, Feature } from '../feature.ts';
import { loadProfile, profileName, sweepProfiles, whyNoProfiles } from './app-armor.ts';
import { settings } from './settings.ts';

/**
 * The task may trace its own processes, siblings included, and no others: an AppArmor profile of the task's
 * own says so. SYS_PTRACE, which former versions gave to every such task, is up to the configuration.
 */
export const allowPtrace: Feature = {
  name: 'allowPtrace',
  description: 'Lets the task trace processes with ptrace',
  settings,
  host: { open: ({ workerName }) => ({ sweep: () => sweepProfiles(workerName) }) },
  defaultOn: false,
  requiredScopes: () => ['docker-worker:feature:allowPtrace'],
  problems({ config, engine }) {
    const { withoutAppArmor } = settingsOf(config, settings).allowPtrace;
    const reason = withoutAppArmor === 'refuse' ? whyUnconfined(engine.capabilities) : undefined;
    const message = `allowPtrace is not available on this worker: ${reason}`;
    return reason === undefined ? [] : [{ path: 'payload.features.allowPtrace', message }];
  },
  async prepare(run) {
    const { engine, config } = run.host;
    const { capability } = settingsOf(config, settings).allowPtrace;
    const { kernel } = engine.capabilities;
    const reason = whyUnconfined(engine.capabilities);
    const confinement = reason === undefined ? await ownProfile(run) : withoutProfile(run, reason);
    if (!capability) {
      tellYama(run);
    }
    return {
      hostConfig: {
        CapAdd: capability ? ['SYS_PTRACE'] : [],
        SecurityOpt: [...confinement, ...seccompFor(kernel, capability)],
      },
    } satisfies Contribution;
  },
};

/** Why the engine can confine no task by a profile of this worker; `undefined` when it can. */
function whyUnconfined({ name, appArmor, sharesKernel }: EngineCapabilities): string | undefined {
  if (!appArmor) {
    return `the ${name} runs without AppArmor`;
  }
  return sharesKernel
    ? whyNoProfiles()
    : `the ${name} is on another machine, which knows no profile of this worker`;
}

async function ownProfile({ owner, resources }: Run): Promise<string[]> {
  const name = profileName(ownerTag(owner));
  resources.use(await loadProfile(name));
  return [`apparmor=${name}`];
}

function withoutProfile({ log }: Run, reason: string): string[] {
  log.worker(
    `allowPtrace: no AppArmor profile confines this task, because ${reason}; ` +
      'what it can trace is limited by its process namespace, seccomp and yama alone',
  );
  return [];
}

/** Yama goes before AppArmor: what it refuses, no profile allows. */
function tellYama({ log }: Run): void {
  const scope = yamaScope();
  if (scope > 0) {
    log.worker(
      `allowPtrace: kernel.yama.ptrace_scope is ${scope} on this worker: ` +
        (scope === 1
          ? 'a process can trace its descendants and those that allow it with PR_SET_PTRACER'
          : 'this task can trace nothing without the capability SYS_PTRACE'),
    );
  }
}

function yamaScope(): number {
  try {
    return Number(readFileSync('/proc/sys/kernel/yama/ptrace_scope', 'utf8'));
  } catch {
    return 0;
  }
}

/**
 * Before Linux 4.8 tracing was a way round seccomp, so Docker's seccomp profile forbids it there unless the
 * container has SYS_PTRACE. Seccomp would hold nothing back from a task that may trace.
 */
export function seccompFor(kernel: string, capability: boolean): string[] {
  const [major = 0, minor = 0] = kernel.split('.').map((part) => Number.parseInt(part, 10));
  const old = major < 4 || (major === 4 && minor < 8);
  return old && !capability ? ['seccomp=unconfined'] : [];
}
