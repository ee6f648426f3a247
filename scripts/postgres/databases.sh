#!/bin/bash
# databases.sh: makes the roles, the databases and the tables of ejabberd, or brings them up to date. For containers: runs
# as the user postgres on the socket of the server. The migrations come after it.
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
for part in log services ground database; do
  # shellcheck source=/dev/null
  . "$ROOT/scripts/lib/$part.sh"
done

apply_roles "$VEIL_VAR/database/secrets"
create_ejabberd_tables
