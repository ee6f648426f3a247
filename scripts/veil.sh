#!/bin/bash
# veil.sh VERB...: runs a verb of the API's command line on the platform of this state directory: as the API's own user,
# with the settings that up.sh saved and the secrets that the API may read. Builds and starts nothing. Without a verb it
# lists them; the exit status is the verb's.
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
for part in log services settings reachable; do
  # shellcheck source=/dev/null
  . "$ROOT/scripts/lib/$part.sh"
done

main() {
  [ "$(id -u)" = 0 ] || fail 'scripts/veil.sh needs root: it becomes the user of the API'
  locate_state
  [ -e "$VEIL_VAR/etc/settings.env" ] || fail "There is no platform in $VEIL_VAR yet: run scripts/up.sh"
  [ -e "$ROOT/api/dist/bundle/cli.js" ] || fail "The API of $ROOT is not built: run scripts/up.sh"
  cd "$ROOT"
  run_reachable setpriv --reuid=veil --regid=veil --init-groups \
    env -i PATH="$PATH" LANG=C.UTF-8 "$ROOT/scripts/service.sh" "$VEIL_VAR" api cli "$@"
}

main "$@"
