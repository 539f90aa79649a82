import { readFileSync } from 'node:fs';

/** Read before it is reached: then no file can be opened to read it from. */
const ownLimit = readLimit('/proc/self/limits', /^Max open files\s+(\d+)/m);
const hostLimit = readLimit('/proc/sys/fs/file-max', /^(\d+)/);

/** Whether this process, or its host, has as many files open as it may: it tells nothing of the peer. */
export function isOutOfFiles(error: unknown): boolean {
  return /^E[MN]FILE$/.test(String((error as { code?: unknown } | undefined)?.code));
}

/** Which limit keeps further files and connections from being opened, and how to raise it; else `undefined`. */
export function fileLimitAdvice(error: unknown): string | undefined {
  const { code, message, cause } = (error ?? {}) as { code?: unknown; message?: unknown; cause?: unknown };
  if (code === 'EMFILE') {
    return `this process may have ${ownLimit} files and connections open: raise LimitNOFILE= of its systemd unit, or "ulimit -n" in the shell that starts it`;
  }
  if (code === 'ENFILE') {
    return `this host may have ${hostLimit} files and connections open: raise it with "sysctl fs.file-max=…"`;
  }
  if (/too many open files/i.test(String(message ?? ''))) {
    return 'the Docker Engine has as many files open as it may: raise LimitNOFILE= of docker.service';
  }
  return cause === undefined ? undefined : fileLimitAdvice(cause);
}

function readLimit(file: string, pattern: RegExp): string {
  try {
    return pattern.exec(readFileSync(file, 'utf8'))?.[1] ?? 'no more';
  } catch {
    return 'no more';
  }
}
