/** Where people log into a running container. Whoever knows one of the addresses can. */
export interface ShellAddresses {
  /** The page of the container's own server. */
  page: string;
  /** For clients of protocol version 1. */
  socket: string;
  /** For clients of protocol version 2, as Taskcluster's own page. */
  socketV2: string;
}

export interface OpenShell extends ShellAddresses {
  /** Nobody is waited for any more once those who are connected have left. */
  leave(): void;
}
