# shellcheck shell=bash
# Platforms of the tests' own: free ports, directories that go away, and what the tests need to be installed and
# built. Needs ROOT, log.sh, packages.sh and node.sh.

# As many ports as tests/platform.sh gives away, below those that the system hands to clients.
FIRST_PORT=24000
LAST_PORT=32000
PORTS=400

first_port=0
running=''
work=''

# Not in TMPDIR: the state's path must be short, and open to the servers' users.
create_work_directory() {
  work=$(mktemp -d /tmp/veil-test.XXXXXX)
  chmod 0755 "$work"
}

install_for_tests() {
  install_packages "${SERVER_PACKAGES[@]}" "${TEST_PACKAGES[@]}"
  install_node_modules
}

# point_to_test_platform DIRECTORY: exports the settings of a platform on ports that are nobody else's, with its state
# there, in the work directory.
point_to_test_platform() {
  reserve_ports
  # shellcheck source=tests/platform.sh
  . "$ROOT/tests/platform.sh" "$first_port" "$1"
}

# Sets first_port to the first of a range in which nobody listens, and which no other run has reserved.
reserve_ports() {
  local reservation
  mkdir -p /run/lock
  for ((first_port = FIRST_PORT; first_port < LAST_PORT; first_port += PORTS)); do
    exec {reservation}> "/run/lock/veil-test.$first_port" # open as long as this script runs
    if flock -n "$reservation" && nobody_listens "$first_port" "$((first_port + PORTS))"; then return; fi
  done
  fail "Somebody listens in every range of ports from $FIRST_PORT to $LAST_PORT"
}

nobody_listens() {
  ss -Hlntu | awk -v first="$1" -v end="$2" '{ sub(/.*:/, "", $5) } $5 >= first && $5 < end { exit 1 }'
}

show_logs() {
  local log
  for log in "$work"/lane*/log/*.log; do
    say "--- the end of ${log#"$work/"}"
    tail -n 40 "$log"
  done
}

# Stops the servers and removes their state; fails when they don't stop.
remove_test_platforms() {
  local state status=0
  [ -n "$work" ] || return 0
  for state in "$work"/lane*/run; do
    [ ! -d "$state" ] || VEIL_VAR=$(dirname "$state") "$ROOT/scripts/down.sh" > /dev/null || status=1
  done
  rm -rf "$work"
  return $status
}

# run_on_test_platform PROGRAM SETTING=VALUE...: runs tests/PROGRAM/main.ts on a platform of its own, which goes away
# whatever happens. Ends this script with the program's status.
run_on_test_platform() {
  local program=$1
  shift
  [ "$(id -u)" = 0 ] || fail "$0 needs root: it starts servers, each as a user of its own"
  trap end_program EXIT
  trap 'exit 130' INT TERM
  cd "$ROOT" || exit 1
  create_work_directory
  install_for_tests
  npm run -s build
  point_to_test_platform "$work/lane1"
  # shellcheck disable=SC2163  # NAME=value each
  export "$@"
  scripts/up.sh > "$work/up.log" || { cat "$work/up.log"; exit 1; }
  TMPDIR=$work "$NODE" "tests/dist/$program/main.js" &
  running=$! # in the background, so that a signal to this script is not kept waiting
  wait "$running"
}

end_program() {
  local status=$?
  trap - EXIT INT TERM
  [ -z "$running" ] || kill "$running" 2> /dev/null || true
  remove_test_platforms || status=1
  exit "$status"
}
