import type { HostPart, OpenPart } from '../../run/host-part.ts';
import { PhoneSessions } from './phone-sessions.ts';
import { phonesLeft } from './phones-left.ts';

export interface PhonesOfHost extends OpenPart, Pick<PhoneSessions, 'ofRun'> {}

/** Sessions on borrowed phones that have not ended yet. */
export const phonesOfHost: HostPart<PhonesOfHost> = {
  open(host) {
    const sessions = new PhoneSessions(host.config, host.workerName, host.logger);
    // The cloud may be slow, and there is no reason for tasks to wait for it.
    const swept = sessions.sweep();
    return {
      ofRun: (owner) => sessions.ofRun(owner),
      room: (claimed) => phonesLeft(host, claimed, sessions.open),
      [Symbol.asyncDispose]: () => swept,
    };
  },
};
