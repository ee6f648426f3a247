#!/bin/bash
# behind-firewall.sh SCRIPT PORT...: runs SCRIPT on a machine of its own, as far as network and ufw go, and prints for each
# PORT/tcp whether another machine gets through to it: `PORT open` or `PORT closed`. Whatever it does is gone afterwards.
set -euo pipefail

if [ -z "${ALONE:-}" ]; then exec unshare --net --mount env ALONE=1 "$0" "$@"; fi

main() {
  local script=$1 other
  shift
  hide /etc/ufw
  hide /lib/ufw
  ip link set lo up
  unshare --net sleep 60 &
  other=$!
  until [ "$(readlink "/proc/$other/ns/net")" != "$(readlink /proc/self/ns/net)" ]; do :; done
  ip link add here type veth peer name there netns "$other"
  ip address add 10.9.0.1/24 dev here
  ip link set here up
  nsenter --net="/proc/$other/ns/net" sh -c 'ip address add 10.9.0.2/24 dev there && ip link set there up'
  "$script"
  for port in "$@"; do
    nsenter --net="/proc/$other/ns/net" bash -c "$(declare -f look); look $port"
  done
  kill "$other"
}

# Nobody listens: who gets through is refused at once, who does not is left without an answer.
look() {
  local status=0
  timeout 1 bash -c "exec 3<> /dev/tcp/10.9.0.1/$1" 2> /dev/null || status=$?
  if [ "$status" = 124 ]; then echo "$1 closed"; else echo "$1 open"; fi
}

# A copy that goes away with the namespace.
hide() {
  local copy
  copy=$(mktemp -d)
  mount -t tmpfs firewall "$copy"
  cp -a "$1/." "$copy"
  mount --move "$copy" "$1"
  rmdir "$copy"
}

main "$@"
