#!/bin/bash
# upgrade.sh [--to DIRECTORY]: takes the version over that is checked out now: backs up the running platform as it is, and
# then does what up.sh does, which runs the new migrations before the new API serves. Says how to go back, also when
# the new version does not start.
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
for part in log services settings ground version; do
  # shellcheck source=/dev/null
  . "$ROOT/scripts/lib/$part.sh"
done

main() {
  local archive before
  locate_state
  require_platform
  before=$(running_version)
  say "Backing up what runs ($before) before $(checked_out_version) takes over"
  archive=$("$ROOT/scripts/backup.sh" "$@") || fail 'Nothing was changed: there is no upgrade without a backup'
  if take_over; then
    say ''
    say "It is up. Look whether all is well: scripts/veil.sh doctor"
    tell_way_back "$before" "$archive"
  else
    tell_way_back "$before" "$archive" >&2
    fail 'The new version did not start, see above'
  fi
}

take_over() {
  if in_containers; then
    compose up --build --detach --wait && checked_out_version > "$VEIL_VAR/etc/version"
  else
    "$ROOT/scripts/up.sh"
  fi
}

# The old state is moved, not removed: its logs tell what went wrong, and the key of the archive may be nowhere else.
tell_way_back() {
  local stop=scripts/down.sh containers=''
  if in_containers; then
    stop='docker compose down --volumes'
    containers=' --containers'
  fi
  cat <<EOT

To go back to what was there before, with everything since then lost:
  $stop
  mv $VEIL_VAR $VEIL_VAR.failed
  git checkout $1
  scripts/restore.sh $2 --key $VEIL_VAR.failed/backup/key$containers
EOT
}

main "$@"
