#!/bin/bash
# up.sh: brings the platform up on this machine: installs what is missing, starts every server that is not running,
# restarts those whose settings or files have changed, and waits until all of them answer. Run it as often as you like.
#
# Settings come from the environment, .env, or the defaults of .env.example. All state is in var/, or in VEIL_VAR.
set -euo pipefail
umask 022

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
for part in log services settings processes packages node ports supervisor state reachable; do
  # shellcheck source=/dev/null
  . "$ROOT/scripts/lib/$part.sh"
done

main() {
  [ "$(id -u)" = 0 ] || fail 'scripts/up.sh needs root: it installs packages and starts each server as a user of its own'
  locate_state
  load_settings
  check_internal_address
  open_state
  create_secrets
  install_packages "${SERVER_PACKAGES[@]}"
  check_ports_are_free
  install_node_modules
  build_api
  open_checkout
  create_users
  create_certificate
  create_service_directories "${SERVICES[@]}"
  save_settings
  run_reachable "$ROOT/scripts/lib/start.sh" "$VEIL_VAR"
}

main
