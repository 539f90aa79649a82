import type Docker from 'dockerode';
import { ExecProcess } from './exec-process.ts';

/** Variable that marks every process of a session, whatever it has turned itself into. */
const markerName = 'DOCKER_WORKER_SESSION';

export function sessionMarker(session: string): string {
  return `${markerName}=${session}`;
}

/**
 * POSIX shell, and of programs only tr and sleep. Finds the processes that carry the
 * marker `$1` in their environment and those of the same Unix sessions, which include programs that have
 * dropped their environment or have become another user. Sends HUP, waits up to `$2` tenths of a second,
 * then sends KILL until none is left.
 */
const script = `
marker=$1 patience=$2
session_of() {
  { IFS= read -r stat < /proc/$1/stat; } 2>/dev/null || return 1
  state=\${stat##*) }
  set -- $state
  [ "$1" != Z ] && [ "$1" != X ] && session=$4 && [ "$4" != 0 ]
}
found() {
  pids= sessions=' '
  for entry in /proc/[0-9]*; do
    pid=\${entry#/proc/}
    [ "$pid" != 1 ] && [ "$pid" != $$ ] && session_of "$pid" || continue
    if environment=$(tr '\\0' '\\n' < "$entry/environ") 2>/dev/null; then
      case "
$environment
" in *"
$marker
"*) pids="$pids $pid" sessions="$sessions$session ";; esac
    fi
  done
  known="$known$sessions"
  for entry in /proc/[0-9]*; do
    pid=\${entry#/proc/}
    [ "$pid" != 1 ] && [ "$pid" != $$ ] && session_of "$pid" || continue
    case "$known" in *" $session "*) pids="$pids $pid";; esac
  done
  [ -n "$pids" ]
}
known=' '
found || exit 0
kill -HUP $pids 2>/dev/null
kill -CONT $pids 2>/dev/null
round=0
while found; do
  [ "$round" -ge "$patience" ] && kill -KILL $pids 2>/dev/null
  [ "$round" -ge $((patience + 50)) ] && exit 1
  round=$((round + 1))
  sleep 0.1 || sleep 1
done
exit 0
`;

export interface EndProcessesOptions {
  /** A POSIX shell in the container, with arguments before `-c` if it needs some. */
  shell: readonly string[];
  session: string;
  /** Seconds between HUP and KILL. */
  graceSeconds: number;
}

/**
 * Ends all processes that a session has left in the container; resolves when none is left. The engine has
 * no call for that, so it is done from inside.
 */
export async function endProcesses(
  docker: Docker,
  container: string,
  { shell, session, graceSeconds }: EndProcessesOptions,
): Promise<void> {
  const command = [
    ...shell,
    '-c',
    script,
    'end-session',
    sessionMarker(session),
    String(Math.round(graceSeconds * 10)),
  ];
  const ending = await ExecProcess.start(docker, container, { command, tty: false, stdin: false });
  ending.holds.release('start');
  const exitCode = await ending.exited;
  if (exitCode !== 0) {
    throw new Error(`processes of a session could not be ended (exit code ${exitCode})`);
  }
}
