#!/bin/bash
# create-users.sh SERVICE...: creates the users of these servers in an image, each with the id that it has in every image.
# Before the packages, which keep a user that is there.
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck source=scripts/lib/services.sh
. "$ROOT/scripts/lib/services.sh"

main() {
  local service user id
  for service in "$@"; do
    user=$(service_user "$service")
    id=$(service_id "$service")
    if getent passwd "$user" > /dev/null; then
      groupmod --gid "$id" "$user"
      usermod --uid "$id" --gid "$id" "$user"
    else
      groupadd --system --gid "$id" "$user"
      useradd --system --uid "$id" --gid "$id" --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin "$user"
    fi
  done
}

main "$@"
