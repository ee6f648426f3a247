# shellcheck shell=bash
# What backup.sh and restore.sh agree on: the archive is a tar file that age has encrypted to a public key.
# Needs VEIL_VAR, log.sh and packages.sh.

# shellcheck disable=SC2034  # read by the scripts that include this file
ARCHIVE_FORMAT=1
# shellcheck disable=SC2034
ARCHIVE_PACKAGES=(age)

# Whoever has this file opens every archive: it belongs on another machine as well, and may be taken away from this one.
backup_key() { echo "$VEIL_VAR/backup/key"; }

# The public half, all that a backup needs.
backup_recipient() { echo "$VEIL_VAR/backup/recipient"; }

# Makes the pair once. A recipient that the operator has put there stays, with or without its key.
create_backup_key() {
  install -d -m 0700 "$VEIL_VAR/backup"
  [ ! -s "$(backup_recipient)" ] || return 0
  if [ ! -s "$(backup_key)" ]; then
    (umask 077 && age-keygen > "$(backup_key).new" 2> /dev/null)
    mv "$(backup_key).new" "$(backup_key)"
  fi
  age-keygen -y "$(backup_key)" > "$(backup_recipient).new"
  mv "$(backup_recipient).new" "$(backup_recipient)"
}

# manifest_value FILE NAME: of lines `NAME=value`.
manifest_value() { sed -n "s/^$2=//p" "$1"; }
