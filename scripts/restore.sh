#!/bin/bash
# restore.sh ARCHIVE --key FILE [--containers]: brings a platform back from an archive of backup.sh, on a machine or in a state directory
# (VEIL_VAR) that has none: accounts, messages, groups, files, secrets and certificate. Then starts it: like up.sh, or with
# --containers those of docker-compose.yml. Where the backup was made does not matter.
# Killed at any point and run again, it begins anew.
set -euo pipefail
umask 022

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
for part in log services settings processes packages supervisor state ground archive; do
  # shellcheck source=/dev/null
  . "$ROOT/scripts/lib/$part.sh"
done

archive=''
key=''
containers=''

main() {
  read_options "$@"
  [ "$(id -u)" = 0 ] || fail 'scripts/restore.sh needs root: it hands each server what is its'
  locate_state
  check_is_empty
  install -d -m 0755 "$VEIL_VAR"
  open_state
  install_packages "${ARCHIVE_PACKAGES[@]}"
  unpack
  bring_settings
  check_manifest "$VEIL_VAR/restore.new/manifest"
  put_in_place
  exec 9>&- # up.sh locks the state itself
  start
}

read_options() {
  while [ $# -gt 0 ]; do
    case $1 in
      --key) key=$(realpath "${2:?--key needs a file}"); shift ;;
      --containers) containers=1 ;;
      -*) break ;;
      *) archive=$(realpath "$1") ;;
    esac
    shift
  done
  [[ $# = 0 && -f $archive && -f $key ]] || fail 'usage: scripts/restore.sh ARCHIVE --key FILE [--containers]'
}

# A restore that was broken off has left nothing that anybody used.
check_is_empty() {
  [ ! -e "$VEIL_VAR/restore" ] || remove_remains
  [ ! -e "$VEIL_VAR/postgres/run/data" ] ||
    fail "There is a platform in $VEIL_VAR: stop it with scripts/down.sh and move that directory away first"
  [ -z "$containers" ] || [ -z "$(compose ps --all --quiet)" ] ||
    fail "There are containers of this checkout already: remove them with their data by docker compose down --volumes"
}

remove_remains() {
  if [ -n "$containers" ]; then
    compose down --volumes
  else
    "$ROOT/scripts/down.sh" > /dev/null
    rm -rf "$VEIL_VAR/postgres/run/data" "$VEIL_VAR/ejabberd/run/upload"
  fi
}

unpack() {
  say "Unpacking $archive"
  rm -rf "$VEIL_VAR/restore.new"
  install -d -m 0700 "$VEIL_VAR/restore.new"
  # The uploads are a second tar file behind the first.
  age --decrypt -i "$key" "$archive" | tar -C "$VEIL_VAR/restore.new" -x --ignore-zeros --no-same-owner ||
    fail "$archive could not be unpacked with $key, see above"
}

# The .env of the archive, unless this checkout has its own.
bring_settings() {
  local theirs="$VEIL_VAR/restore.new/env" ours
  ours=$(settings_file)
  [ -e "$theirs" ] || return 0
  if [ ! -s "$ours" ]; then
    install -m 0600 "$theirs" "$ours"
  elif ! cmp -s "$theirs" "$ours"; then
    warn "$ours is not the one of the backup, and stays as it is"
  fi
}

check_manifest() {
  local format domain served
  format=$(manifest_value "$1" format)
  domain=$(manifest_value "$1" domain)
  [ "$format" = "$ARCHIVE_FORMAT" ] || fail "The archive has format $format; this version reads $ARCHIVE_FORMAT"
  # Elsewhere, for compose takes what is exported here for the operator's.
  served=$(load_settings && echo "$XMPP_DOMAIN")
  [ "$domain" = "$served" ] ||
    fail "The accounts of the backup belong to $domain, not to $served: set XMPP_DOMAIN=$domain, in .env for instance"
  check_migration "$(manifest_value "$1" migration)" "$(manifest_value "$1" version)"
}

# An older version would not know what to do with tables that it has never seen.
check_migration() {
  [ -n "$(find "$ROOT/sql/migrations" -name "$1_*.sql")" ] ||
    fail "The backup is of a newer version: this one has no migration $1. Check out $2, which made it"
}

# Databases and uploads follow when PostgreSQL runs: scripts/lib/start.sh loads what lies in restore/.
put_in_place() {
  local part unpacked="$VEIL_VAR/restore.new"
  rm -rf "$VEIL_VAR/restore"
  for part in secrets tls backup; do
    rm -rf "${VEIL_VAR:?}/$part"
    cp -a "$unpacked/$part" "$VEIL_VAR/$part"
  done
  mv "$unpacked" "$VEIL_VAR/restore"
}

start() {
  [ -n "$containers" ] || exec "$ROOT/scripts/up.sh"
  compose build --quiet
  compose up --detach --wait --no-build db
  "$ROOT/scripts/containers/load.sh" "$VEIL_VAR"
  compose up --detach --wait --no-build
}

main "$@"
