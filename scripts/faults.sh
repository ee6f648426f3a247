#!/bin/bash
# faults.sh: kills and freezes each server of a platform of its own while it is at work, looks for what was lost, and
# prints a table. tests/faults/main.ts says what holds. Takes a quarter of an hour.
set -euo pipefail
umask 022

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
for part in log packages node test-platform; do
  # shellcheck source=/dev/null
  . "$ROOT/scripts/lib/$part.sh"
done

# What was acknowledged outlives the kill -9 of its database.
run_on_test_platform faults DB_FSYNC=on
