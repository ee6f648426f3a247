#!/bin/bash
# test.sh [all|unit|medium|e2e|containers|everything [PATTERN]]: installs what the tests need, builds, checks the sources,
# and runs every test, or one kind of them, against servers of its own. `containers` needs an engine that runs containers,
# so only `everything` has them too. The last line is the total of all runners: `N passed, N failed`.
set -euo pipefail
umask 022

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
for part in log services settings processes packages node supervisor ground database test-platform test-containers; do
  # shellcheck source=/dev/null
  . "$ROOT/scripts/lib/$part.sh"
done

# Stories run in lanes side by side, each with servers of its own: most of its time a story waits.
LANES=4
# A runner that hangs is a failure, not a reason to wait.
RUNNER_TIMEOUT=3600

passed=0
failed=0
# What failed, to be said again at the end: nobody should have to look for it above the logs.
failures=''
runner=''
work=''
# What a runner is started with, to be somewhere else.
place=()

main() {
  local kind=${1:-all} pattern=${2:-}
  [ "$(id -u)" = 0 ] || fail 'scripts/test.sh needs root: it starts servers, each as a user of its own'
  trap finish EXIT
  trap 'exit 130' INT TERM
  cd "$ROOT"
  create_work_directory
  prepare
  case $kind in
    all | everything)
      check_sources
      run_unit
      with_platforms "$LANES" run_medium run_e2e
      [ "$kind" = all ] || with_containers
      ;;
    unit) run_unit "$pattern" ;;
    medium) PATTERN=$pattern with_platforms 1 run_medium ;;
    e2e) PATTERN=$pattern with_platforms 1 run_e2e ;;
    containers) PATTERN=$pattern with_containers ;;
    *) fail 'usage: scripts/test.sh [all|unit|medium|e2e|containers|everything [PATTERN]]' ;;
  esac
}

prepare() {
  install_for_tests
  check 'the API and the tests compile' npm run -s build
  [ "$failed" = 0 ] || exit 1
}

check_sources() {
  local scripts
  mapfile -t scripts < <(find . \( -name node_modules -o -name .git -o -name var \) -prune -o -name '*.sh' -print)
  check 'Biome finds nothing' node_modules/.bin/biome check .
  check 'shellcheck finds nothing' shellcheck -x .ci/run "${scripts[@]}"
  check 'package-lock.json is complete' "$NODE" scripts/complete-lockfile.mjs --check
  check '.env.example and the README list the settings of the code' "$NODE" api/dist/bundle/cli.js settings
  check 'docs/openapi.json is what the code generates' openapi_is_current
}

openapi_is_current() { "$NODE" api/dist/bundle/cli.js openapi | diff docs/openapi.json -; }

# check TITLE COMMAND...: counts as one test; says more only when it fails.
check() {
  local title=$1
  shift
  if "$@" > "$work/check.log" 2>&1; then
    passed=$((passed + 1))
    say "ok: $title"
  else
    failed=$((failed + 1))
    cat "$work/check.log"
    say "FAILED: $title"
    failures+="FAILED: $title"$'\n'
  fi
}

run_unit() { run_jest unit --config api/jest.config.mjs --selectProjects unit --maxWorkers=2 ${1:+"$1"}; }

# Some wait for a deadline: four keep two processors at work.
run_medium() { run_jest medium --config api/jest.config.mjs --selectProjects medium --maxWorkers=4 ${PATTERN:+"$PATTERN"}; }

# In a lane one story after the other: they share its servers, and some kill them.
run_e2e() {
  local failed_before=$failed
  TEST_LANES=$work run_jest e2e --config tests/jest.config.mjs --maxWorkers="$lanes" ${PATTERN:+"$PATTERN"}
  [ "$failed" = "$failed_before" ] || show_logs
}

# run_jest NAME OPTION...: counts what jest reports; a suite that does not even load and a skipped test count as failed.
run_jest() {
  local results="$work/$1.json" began=$SECONDS
  shift
  timeout "$RUNNER_TIMEOUT" "${place[@]}" "$NODE" --experimental-vm-modules --no-warnings node_modules/jest/bin/jest.js \
    --forceExit --json --outputFile="$results" --testResultsProcessor="$ROOT/tests/results.mjs" "$@" &
  runner=$! # in the background, so that a signal to this script is not kept waiting
  wait "$runner" || true
  runner=''
  count_results "$results"
  say "($((SECONDS - began)) s)"
}

count_results() {
  if [ -s "$1" ]; then
    passed=$((passed + $(jq '.numPassedTests' "$1")))
    failed=$((failed + $(jq '.numFailedTests + .numRuntimeErrorTestSuites + .numPendingTests + .numTodoTests' "$1")))
    jq -r '.testResults[].assertionResults[] | select(.status == "pending" or .status == "todo") | "Skipped: " + .fullName' "$1"
    failures+=$(jq -r '.testResults[] | select(.status == "failed") | .message[:4000]' "$1")
  else
    say 'jest ended without a result'
    failed=$((failed + 1))
  fi
}

# with_platforms LANES RUNNER...: runs them with as many platforms of the tests' own, and the environment of the first.
with_platforms() {
  local lanes=$1 lane part failed_before=$failed
  shift
  for ((lane = lanes; lane > 0; lane--)); do
    point_to_test_platform "$work/lane$lane"
    env -0 > "$work/lane$lane.env"
    check "the platform of lane $lane starts" scripts/up.sh
  done
  [ "$failed" = "$failed_before" ] || return 0
  create_test_role
  for part in "$@"; do
    "$part"
  done
}

# The stories of the containers, from outside of the machine that they run on.
with_containers() {
  local failed_before=$failed
  remove_test_platforms
  create_work_directory
  point_to_containers
  write_settings_file
  bring_awkward_secrets
  create_outside
  check 'the images are built' docker compose build
  check 'the containers start' docker compose up --detach --wait --no-build
  if [ "$failed" = "$failed_before" ]; then
    place=(nsenter --net="/run/netns/$outside")
    run_jest containers --config tests/containers.jest.config.mjs --runInBand ${PATTERN:+"$PATTERN"}
    place=()
  fi
  [ "$failed" = "$failed_before" ] || show_container_logs
}

# The medium tests make and drop databases: they get a superuser, which exists on this platform only.
create_test_role() {
  local password
  password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  superuser_sql postgres <<< "CREATE ROLE veil_test SUPERUSER LOGIN PASSWORD '$password'"
  export TEST_DATABASE_URL="postgres://veil_test:$password@127.0.0.1:$DB_PORT/postgres"
}

# Whatever happened: stops the servers, removes their state, and gives the total.
finish() {
  local status=$?
  trap - EXIT INT TERM
  [ -z "$runner" ] || kill "$runner" 2> /dev/null || true
  wait # what is being started can't be stopped yet
  remove_containers
  remove_test_platforms || failed=$((failed + 1))
  [ "$status" = 0 ] || [ "$failed" != 0 ] || failed=1
  [ -z "$failures" ] || say "$failures"
  say "$passed passed, $failed failed"
  [ "$failed" = 0 ] || exit 1
}

main "$@"
