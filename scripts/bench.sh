#!/bin/bash
# bench.sh [calls|realtime]: measures the speed of the API, of calls or of WebSockets, on a platform of its own, and prints a
# table: tests/bench/main.ts, tests/bench/calls/main.ts and tests/bench/realtime/main.ts say of what.
set -euo pipefail
umask 022

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
for part in log packages node test-platform; do
  # shellcheck source=/dev/null
  . "$ROOT/scripts/lib/$part.sh"
done

# As in earnest: every commit reaches the disk. But no limit stops what is measured.
settings=(DB_FSYNC=on RATE_LIMIT_FACTOR=1000000)
case ${1:-} in
  '') run_on_test_platform bench "${settings[@]}" ;;
  # All are held before the first is woken.
  calls) run_on_test_platform bench/calls "${settings[@]}" RING_SECONDS=120 ;;
  realtime) run_on_test_platform bench/realtime "${settings[@]}" ;;
  *) fail 'usage: scripts/bench.sh [calls|realtime]' ;;
esac
