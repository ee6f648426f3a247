#!/bin/bash
# service.sh VEIL_VAR SERVICE [ACTION [ARGUMENT...]]: becomes one server, or with the action healthcheck (for the API also
# ready, cli, monitor) that script of its folder, with its settings and nothing else. Runs as the server's own user; supervisord calls it.
set -euo pipefail
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=scripts/lib/services.sh
. "$ROOT/scripts/lib/services.sh"
# shellcheck source=scripts/lib/processes.sh
. "$ROOT/scripts/lib/processes.sh"

main() {
  local state=$1 service=$2 action=${3:-entrypoint}
  # shellcheck source=/dev/null
  . "$state/etc/settings.env"
  umask 077
  # A server that crashes leaves no file with its memory: secrets and messages are in it.
  ulimit -c 0
  export_directories "$service"
  if [ "$action" = entrypoint ]; then
    end_leftovers "$service"
    export VEIL_SERVICE="$service@$VEIL_VAR"
    cd "$RUN_DIR"
  fi
  exec "$(service_folder "$service")/$action.sh" "${@:4}"
}

export_directories() {
  local secret file
  local directory="$VEIL_VAR/$1"
  export RUN_DIR="$directory/run" TLS_DIR="$directory/tls" HOME="$directory/run"
  for secret in $(service_secrets "$1"); do
    file=$(secret_file "$directory/secrets" "$secret")
    [ ! -e "$file" ] || export "${secret}_FILE=$file"
  done
}

# The children of a server that was killed may outlive it and hold its ports.
end_leftovers() {
  local pids
  mapfile -t pids < <(server_processes "$1")
  [ ${#pids[@]} -eq 0 ] || kill -KILL "${pids[@]}" 2> /dev/null || true
}

main "$@"
