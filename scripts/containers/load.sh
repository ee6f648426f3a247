#!/bin/bash
# load.sh STATE: the second half of restore.sh --containers, once PostgreSQL answers: loads what lies in restore/.
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
for part in log services ground database load; do
  # shellcheck source=/dev/null
  . "$ROOT/scripts/lib/$part.sh"
done
export VEIL_VAR=$1
DB_PORT=$(saved_setting DB_PORT)
export DB_PORT

load_restored
