/** The only WireGuard interface in the proxy's container. */
export const wireguardInterface = 'wg0';

/**
 * What runs with the privileges of the tunnel, as a script for bash: it makes the interface, by the kernel
 * where that knows WireGuard and by wireguard-go where not, and then tells, line after line, what
 * `wg` knows of each peer: `handshake <key> <time>` and `transfer <key> <received> <sent>`.
 *
 * It asks again and again because neither the kernel nor wireguard-go has an event for a handshake that was
 * made, or for a peer that has fallen silent. A line or the end of its input ends it, and the interface,
 * whose routes go with it.
 *
 * Arguments: the interface, its MTU or nothing, the routing table, the file for `wg setconf`, the addresses.
 */
export const wireguardProgram = `
set -euo pipefail
interface=$1 mtu=$2 table=$3 file=$4
shift 4
ip link delete dev "$interface" 2> /dev/null || :
trap 'ip link delete dev "$interface" 2> /dev/null' EXIT
if ! ip link add dev "$interface" type wireguard 2> /dev/null; then
  # The image has a link from where both programs look for their socket.
  mkdir -p -m 700 /tmp/wireguard
  # What it says of itself on stderr is for a kernel that has WireGuard.
  LOG_LEVEL=verbose wireguard-go "$interface" < /dev/null 2> /dev/null
fi
wg setconf "$interface" "$file"
for address; do
  case $address in
    *:*) ip -6 address add "$address" dev "$interface" || echo "without IPv6, which this container does not have" ;;
    *) ip address add "$address" dev "$interface" ;;
  esac
done
ip link set dev "$interface" up
[ -z "$mtu" ] || ip link set dev "$interface" mtu "$mtu"
ip route replace default dev "$interface" table "$table"
ip -6 route replace default dev "$interface" table "$table" 2> /dev/null || :
pause=0.2
while :; do
  handshakes=$(wg show "$interface" latest-handshakes)
  transfers=$(wg show "$interface" transfer)
  echo "$handshakes" | sed 's/^/handshake /'
  echo "$transfers" | sed 's/^/transfer /'
  [[ ! $handshakes =~ [1-9][0-9]+$ ]] || pause=1
  if read -r -t "$pause" _; then break; elif [ $? -le 128 ]; then break; fi
done
`;
