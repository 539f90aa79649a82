/**
 * What the page and its server say to each other beside the terminal's bytes, which are binary messages in
 * both directions. The page names the session that it wants back, and how many bytes of it it has, in the
 * query of its socket: `?session=<id>&have=<bytes>`.
 */
export type ServerMessage =
  | {
      type: 'session';
      /** Names the session when the page comes back. */
      session: string;
      /** Position of the first byte that follows. */
      position: number;
      /** Whether it is the session that the page asked for. */
      resumed: boolean;
      task?: { taskId: string; runId: number };
      /** When the task's time is over at the latest, as milliseconds since 1970. */
      endsAt?: number;
    }
  /** Comes every few seconds, so that the page notices a connection that is dead. */
  | { type: 'alive' }
  | { type: 'exit'; exitCode: number }
  /** The session is over, or there is none, for this reason. */
  | { type: 'failed'; message: string };

export type PageMessage =
  | { type: 'resize'; rows: number; columns: number }
  /** Bytes that the terminal has worked off, counted from the beginning of the session. */
  | { type: 'seen'; position: number };

/** Bytes that are sent ahead of what the terminal has worked off. */
export const windowBytes = 512 * 1024;

/** Seconds between two `alive` messages; a page that has heard nothing for thrice as long looks for a new connection. */
export const aliveSeconds = 5;

/** Close codes after which the page does not come back. */
export const closeCode = { ended: 1000, goingAway: 1001, failed: 1011, full: 1013, takenOver: 4001 } as const;
