/** Where a tunnel stands, in the words of OpenVPN's management interface, and `STARTING` before the first. */
export interface TunnelState {
  name: string;
  /** More about it: a reason, in words for people. */
  detail?: string;
}

/** A way to the upstream that can come and go. */
export interface Tunnel {
  readonly state: TunnelState;
  /** True while packets can pass. */
  readonly isUp: boolean;
  /** Name servers that the other end wants to be asked, and the domain of short names. */
  readonly dns: { servers: readonly string[]; domain?: string };
  /** Called after each change of the state. */
  onChange: () => void;
  /** Called when something should be sent through the tunnel, so that an answer shows that its other end is there. */
  onSilence?: () => void;
  /** Begins to connect; does so again and again until it is closed. */
  open(): void;
  close(): void;
}

/** No tunnel at all: the normal way, always up. */
export function directWay(): Tunnel {
  return {
    state: { name: 'CONNECTED', detail: 'without a tunnel' },
    isUp: true,
    dns: { servers: [] },
    onChange: () => {},
    open() {
      this.onChange();
    },
    close() {},
  };
}
