#!/bin/bash
# backup.sh [--to DIRECTORY] [--keep N]: writes all that a running platform can't make again (both databases, uploads,
# secrets, certificates, settings) into one encrypted file of DIRECTORY (/var/backups/veil), and prints its name.
# Everything in it is as it was at one moment; nobody is kept waiting. With --keep, only the newest N archives stay.
set -euo pipefail
umask 077

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
for part in log services settings packages reachable ground archive; do
  # shellcheck source=/dev/null
  . "$ROOT/scripts/lib/$part.sh"
done

directory=/var/backups/veil
keep=''
unfinished=''

main() {
  read_options "$@"
  [ "$(id -u)" = 0 ] || fail 'scripts/backup.sh needs root: it reads what every server keeps'
  locate_state
  require_platform
  exec 7> "$VEIL_VAR/run/backup.lock"
  flock -n 7 || fail "Another backup of $VEIL_VAR is being made"
  install_packages "${ARCHIVE_PACKAGES[@]}" >&2
  create_backup_key
  trap 'rm -rf "$VEIL_VAR/run/backup" ${unfinished:+"$unfinished"}' EXIT
  trap 'exit 130' INT TERM
  write_archive
  remind_of_key
  remove_old_archives
}

read_options() {
  while [ $# -gt 0 ]; do
    case $1 in
      --to) directory=${2:?--to needs a directory} ;;
      --keep) keep=${2:?--keep needs a number} ;;
      *) fail 'usage: scripts/backup.sh [--to DIRECTORY] [--keep N]' ;;
    esac
    shift 2
  done
  [[ $keep =~ ^([1-9][0-9]*)?$ ]] || fail "--keep $keep is not a number of archives"
}

# The name is given to a whole archive that is on the disk, and to nothing less.
write_archive() {
  local archive
  install -d -m 0700 "$directory"
  archive="$directory/$(archive_prefix)$(date -u +%Y%m%dT%H%M%SZ).tar.age"
  unfinished="$archive.part"
  collect | age --encrypt -R "$(backup_recipient)" > "$unfinished" ||
    fail 'No backup was made, see above'
  sync "$unfinished"
  mv "$unfinished" "$archive"
  unfinished=''
  say "$archive"
}

collect() {
  if in_containers; then
    "$ROOT/scripts/lib/collect.sh" "$VEIL_VAR"
  else
    run_reachable "$ROOT/scripts/lib/collect.sh" "$VEIL_VAR"
  fi
}

archive_prefix() { echo "veil-$(saved_setting XMPP_DOMAIN)-"; }

remind_of_key() {
  [ -e "$(backup_key)" ] || return 0
  warn "Only $(backup_key) opens it: keep a copy of that file on another machine."
}

# Their names sort by their age.
remove_old_archives() {
  [ -n "$keep" ] || return 0
  find "$directory" -maxdepth 1 -type f -name "$(archive_prefix)*Z.tar.age" | sort -r | tail -n "+$((keep + 1))" |
    xargs -r -d '\n' rm -f
}

main "$@"
