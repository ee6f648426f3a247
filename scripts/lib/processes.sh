# shellcheck shell=bash
# Which processes are ours. A pid in a file proves nothing after a crash or a reboot: a process is a server of this
# platform when it runs as that server's user and carries the mark that service.sh gave it, or stands in its directory
# (ejabberd drops its environment, PostgreSQL's processes overwrite theirs). Needs services.sh and VEIL_VAR.

# server_processes SERVICE...: prints the pids.
server_processes() {
  local service pid
  for service in "$@"; do
    for pid in $(marked_processes "$service" | sort -un); do
      runs_as "$(service_user "$service")" "$pid" && echo "$pid"
    done
  done
  return 0
}

marked_processes() {
  local directory
  { grep -lszxF "VEIL_SERVICE=$1@$VEIL_VAR" /proc/[0-9]*/environ || true; } | cut -d/ -f3
  for directory in "$VEIL_VAR/$1/run" "$VEIL_VAR/$1/run/data"; do
    # By identity, not by name: its path reads otherwise from another mount namespace.
    { find -L /proc/[0-9]*/cwd -maxdepth 0 -samefile "$directory" || true; } 2> /dev/null | cut -d/ -f3
  done
}

runs_as() { [ "$(stat -c %U "/proc/$2" 2> /dev/null)" = "$1" ]; }

# stop_processes SECONDS PID...: asks them to end, insists after that time, returns when they are gone.
stop_processes() {
  local deadline=$((SECONDS + $1))
  shift
  [ $# -gt 0 ] || return 0
  kill -TERM "$@" 2> /dev/null || true
  while any_alive "$@"; do
    [ $SECONDS -lt $deadline ] || kill -KILL "$@" 2> /dev/null || true
    sleep 0.1
  done
}

any_alive() {
  local pid
  for pid in "$@"; do
    [ ! -d "/proc/$pid" ] || grep -q '^State:.*Z' "/proc/$pid/status" 2> /dev/null || return 0
  done
  return 1
}
