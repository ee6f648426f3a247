#!/bin/bash
# prepare.sh: what up.sh does before the servers of a machine, for the containers of docker-compose.yml: settings, secrets,
# certificate, and a directory for each server with copies of what it may read. Runs as root, ends, and may run again.
set -euo pipefail
umask 022

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
for part in log services settings state; do
  # shellcheck source=/dev/null
  . "$ROOT/scripts/lib/$part.sh"
done

main() {
  local all=("${SERVICES[@]}" "${CONTAINERS[@]}")
  locate_state
  refuse_secrets
  load_settings
  create_state_directories
  lock_state
  "$ROOT/scripts/generate-secrets.sh" "$VEIL_VAR/secrets"
  provide_valkey
  create_certificate
  create_service_directories "${all[@]}"
  save_settings
}

# Where compose runs a Valkey of ours, the address and password of it.
provide_valkey() {
  local file
  file=$(secret_file "$VEIL_VAR/secrets" REDIS_URL)
  case ,$COMPOSE_PROFILES, in
    *,valkey,*)
      [ -s "$file" ] ||
        printf 'redis://:%s@%s' "$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')" "$VALKEY_ADDRESS" | install_text "$file" 0600
      ;;
    *) if grep -qsF "@$VALKEY_ADDRESS" "$file"; then rm "$file"; fi ;;
  esac
}

# The environment of a container can be read by whoever may ask the engine, and .env by compose, which changes quotes.
refuse_secrets() {
  local name
  for name in "${SECRETS[@]}" "${OPTIONAL_SECRETS[@]}"; do
    [ -z "${!name:-}" ] || fail "$name must not be in .env here: write it into the file $(secret_file secrets "$name") of the state directory"
  done
}

main
