#!/bin/bash
# generate-secrets.sh DIRECTORY: creates each secret of the platform that DIRECTORY does not hold yet: 64 hex digits,
# without a line break, readable by its owner only. An existing file is never changed.
set -euo pipefail
umask 077

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=scripts/lib/services.sh
. "$ROOT/scripts/lib/services.sh"

main() {
  local name file
  install -d -m 0700 "$1"
  for name in "${SECRETS[@]}"; do
    file=$(secret_file "$1" "$name")
    [ -s "$file" ] || generate "$file"
  done
}

generate() {
  od -An -N32 -tx1 /dev/urandom | tr -d ' \n' > "$1.new"
  mv "$1.new" "$1"
}

main "${1:?usage: generate-secrets.sh DIRECTORY}"
