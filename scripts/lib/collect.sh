#!/bin/bash
# collect.sh STATE: the part of backup.sh that runs where the servers' users can reach the state. Writes a tar file to
# stdout: the manifest, what is small, both databases, and in a second one that follows it the uploaded files.
set -euo pipefail
umask 077

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
for part in log services settings ground database instant archive version; do
  # shellcheck source=/dev/null
  . "$ROOT/scripts/lib/$part.sh"
done
# shellcheck source=/dev/null
. "$1/etc/settings.env"
VEIL_VAR=$1 # in containers it has another name

work="$VEIL_VAR/run/backup"

main() {
  rm -rf "$work"
  mkdir -p "$work"
  trap release_instant EXIT
  hold_instant "$work"
  write_manifest > "$work/manifest"
  dump veil --exclude-table-data=kamailio.location
  dump ejabberd
  release_instant
  copy_state
  tar -C "$work" -c --exclude='session.*' .
  # Files come after the messages that tell of them: none is missing.
  collect_uploads
}

write_manifest() {
  echo "format=$ARCHIVE_FORMAT"
  echo "made=$(date -u +%Y-%m-%dT%H:%M:%SZ)"
  echo "version=$(running_version)"
  echo "domain=$XMPP_DOMAIN"
  echo "migration=$(superuser_sql veil <<< 'SELECT max(version) FROM schema_migrations')"
}

# Where phones can be reached is not kept: that is over by the time somebody restores it, and they register again.
# dump DATABASE [OPTION...]
dump() {
  local database=$1
  shift
  in_server postgres pg_dump -h "$(server_directory postgres)/socket" -p "$DB_PORT" --format=custom \
    --snapshot="$(snapshot_of "$database")" "$@" "$database" > "$work/$database.dump"
}

copy_state() {
  cp -a "$VEIL_VAR/secrets" "$VEIL_VAR/tls" "$VEIL_VAR/backup" "$work"
  cp "$VEIL_VAR/etc/settings.env" "$work"
  [ ! -e "$(settings_file)" ] || cp "$(settings_file)" "$work/env"
}

# Files that grow or go meanwhile are no failure: nobody has been told of the former, nobody wants the latter.
collect_uploads() {
  local status=0
  in_server ejabberd tar -C "$(server_directory ejabberd)" -c upload || status=$?
  [ "$status" -le 1 ]
}

main
