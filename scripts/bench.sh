#!/bin/bash
# bench.sh: measures the speed of the API on a platform of its own, and prints a table: tests/bench/main.ts says of what.
set -euo pipefail
umask 022

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
for part in log packages node test-platform; do
  # shellcheck source=/dev/null
  . "$ROOT/scripts/lib/$part.sh"
done

# As in earnest: every commit reaches the disk. But no limit stops what is measured.
run_on_test_platform bench DB_FSYNC=on RATE_LIMIT_FACTOR=1000000
