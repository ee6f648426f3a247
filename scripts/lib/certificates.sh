# shellcheck shell=bash
# Has every server that shows the certificate take a new one over, which ends no call and no stream. Needs ROOT, VEIL_VAR,
# log.sh, services.sh, processes.sh and ground.sh.

# The certificate that the servers were told of last.
told_certificate() { echo "$VEIL_VAR/run/certificate"; }

present_certificate() { sha256sum < "$VEIL_VAR/tls/server.pem"; }

# Servers that start read what is there.
note_certificate() { present_certificate > "$(told_certificate)"; }

certificate_is_new() { [ "$(cat "$(told_certificate)" 2> /dev/null)" != "$(present_certificate)" ]; }

reload_certificate() {
  if in_containers; then
    compose exec -T api /opt/veil/scripts/service.sh "$CONTAINER_STATE" api cli certificate reload
    compose kill --signal SIGUSR2 coturn proxy
  else
    "$ROOT/scripts/veil.sh" certificate reload
    signal_coturn
  fi
  note_certificate
}

# What coturn does with this signal is to read its certificate anew.
signal_coturn() {
  local pids
  mapfile -t pids < <(server_processes coturn)
  [ ${#pids[@]} -eq 0 ] || kill -USR2 "${pids[@]}"
}
