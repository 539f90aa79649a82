/**
 * What a page's shell runs in the container: a login shell as good as the image has one, in an environment
 * that programs expect. An image may bring its own as `/bin/taskcluster-interactive-shell`.
 */
const script = `
[ -r /etc/taskcluster-motd ] && while IFS= read -r line || [ -n "$line" ]; do printf '%s\\n' "$line"; done < /etc/taskcluster-motd
case "$TERM" in ''|dumb|xterm) TERM=xterm-256color;; esac
name=$(id -un 2>/dev/null) || name=root
[ -n "$HOME" ] || HOME=/root
export TERM HOME USER="\${USER:-$name}" LOGNAME="\${LOGNAME:-$name}"
[ -x /bin/taskcluster-interactive-shell ] && exec /bin/taskcluster-interactive-shell
for shell in "$SHELL" /bin/bash /usr/bin/bash /usr/local/bin/bash /bin/sh /usr/bin/sh; do
  [ -n "$shell" ] && [ -x "$shell" ] || continue
  export SHELL="$shell"
  case "$shell" in */bash) exec "$shell" -li;; *) exec "$shell" -i;; esac
done
for busybox in "$@"; do
  export SHELL="$busybox"
  exec "$busybox" sh -i
done
echo 'This image has no shell.' >&2
exit 127
`;

/**
 * @param supervisor a POSIX shell in the container
 * @param busybox path of a busybox in the container, the last resort
 */
export function shellCommand(supervisor: readonly string[], busybox?: string): string[] {
  return [...supervisor, '-c', script, 'shell', ...(busybox === undefined ? [] : [busybox])];
}
