#!/bin/bash
# bench.sh: measures the speed of the API on a platform of its own, and prints a table: tests/bench/main.ts says of what.
set -euo pipefail
umask 022

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
for part in log packages node test-platform; do
  # shellcheck source=/dev/null
  . "$ROOT/scripts/lib/$part.sh"
done

bench=''
work=''

main() {
  [ "$(id -u)" = 0 ] || fail 'scripts/bench.sh needs root: it starts servers, each as a user of its own'
  trap finish EXIT
  trap 'exit 130' INT TERM
  cd "$ROOT"
  create_work_directory
  install_for_tests
  npm run -s build
  point_to_test_platform
  # As in earnest: every commit reaches the disk. But no limit stops what is measured.
  unset DB_FSYNC
  export RATE_LIMIT_FACTOR=1000000
  scripts/up.sh > "$work/up.log" || { cat "$work/up.log"; exit 1; }
  TMPDIR=$work "$NODE" tests/dist/bench/main.js &
  bench=$! # in the background, so that a signal to this script is not kept waiting
  wait "$bench"
}

finish() {
  local status=$?
  trap - EXIT INT TERM
  [ -z "$bench" ] || kill "$bench" 2> /dev/null || true
  remove_test_platform || status=1
  exit "$status"
}

main
