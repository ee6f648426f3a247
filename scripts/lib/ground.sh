# shellcheck shell=bash
# The platform of a state directory, wherever it runs: under supervisord on this machine, or in the containers of
# docker-compose.yml, whose settings name the directory as it is called in there. Needs ROOT, VEIL_VAR and log.sh.

CONTAINER_STATE=/var/lib/veil

require_platform() { [ -e "$VEIL_VAR/etc/settings.env" ] || fail "There is no platform in $VEIL_VAR yet: start it first"; }

in_containers() { [ "$(saved_setting VEIL_VAR)" = "$CONTAINER_STATE" ] && [ "$VEIL_VAR" != "$CONTAINER_STATE" ]; }

# saved_setting NAME: as the servers were started with it.
# shellcheck disable=SC1091
saved_setting() { (set +u && . "$VEIL_VAR/etc/settings.env" && printf '%s\n' "${!1}"); }

compose() { (export VEIL_VAR && cd "$ROOT" && docker compose "$@"); }

# in_server SERVICE COMMAND...: runs it as the server's user, where the server sees its files.
in_server() {
  local service=$1
  shift
  if in_containers; then
    compose exec -T "$(container_of "$service")" "$@"
  else
    (cd / && as_user "$(service_user "$service")" "$@")
  fi
}

container_of() { if [ "$1" = postgres ]; then echo db; else echo "$1"; fi; }

# server_directory SERVICE: what the server itself calls the directory that it writes in.
server_directory() { if in_containers; then echo "$CONTAINER_STATE/$1/run"; else echo "$VEIL_VAR/$1/run"; fi; }
