#!/bin/bash
# down.sh: stops what up.sh started, and only that; the state stays.
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
for part in log services settings processes supervisor state; do
  # shellcheck source=/dev/null
  . "$ROOT/scripts/lib/$part.sh"
done

main() {
  [ "$(id -u)" = 0 ] || fail 'scripts/down.sh needs root'
  locate_state
  [ -e "$VEIL_VAR/run/lock" ] || { say "Nothing was started in $VEIL_VAR"; return; }
  lock_state
  stop_supervisor
  stop_leftovers
  say 'Stopped'
}

main
