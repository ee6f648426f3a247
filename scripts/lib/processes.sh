# shellcheck shell=bash
# Which processes are ours. A pid in a file proves nothing after a crash or a reboot: a process is a server of this
# platform when it runs as that server's user and carries the mark that service.sh gave it, or stands in its directory
# (PostgreSQL's processes overwrite their environment). Needs services.sh and VEIL_VAR.

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
  { grep -lzxF "VEIL_SERVICE=$1@$VEIL_VAR" /proc/[0-9]*/environ || true; } 2> /dev/null | cut -d/ -f3
  { find /proc -maxdepth 2 -path '/proc/[0-9]*/cwd' -user "$(service_user "$1")" \
    \( -lname "$VEIL_VAR/$1" -o -lname "$VEIL_VAR/$1/*" \) || true; } 2> /dev/null | cut -d/ -f3
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
