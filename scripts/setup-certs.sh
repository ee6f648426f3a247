#!/bin/bash
# setup-certs.sh [--now]: gets the running platform a certificate that everybody trusts, by ACME from ACME_SERVER (Let's Encrypt), for
# all of its names, and has every server take it over; nobody is disconnected. Run it daily: 30 days before the end, and
# when the names change, it gets a new one; else it does nothing. --now gets one in any case.
#
# Without ACME_EMAIL, and for as long as no authority has signed one, the certificate is signed by one of our own.
set -euo pipefail
umask 022

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
for part in log services settings processes packages supervisor state ground names certificates; do
  # shellcheck source=/dev/null
  . "$ROOT/scripts/lib/$part.sh"
done

# In days: of the 90 for which Let's Encrypt signs.
RENEW_BEFORE=30
# Groups, pushes and uploads live below the domain. Chat clients need no certificate for those; whoever gave them a DNS record does.
SERVICES_OF_CHAT=(upload muc push)

main() {
  local days=$RENEW_BEFORE
  case "$*" in
    '') ;;
    --now) days=100000 ;;
    *) fail 'usage: scripts/setup-certs.sh [--now]' ;;
  esac
  [ "$(id -u)" = 0 ] || fail 'scripts/setup-certs.sh needs root: it hands each server its certificate'
  locate_state
  require_platform
  [ -n "$(saved_setting ACME_EMAIL)" ] || { say 'ACME_EMAIL is not set: the certificate is signed by our own authority'; return; }
  exec 7> "$VEIL_VAR/run/certificate.lock"
  flock -n 7 || fail 'Another setup-certs.sh is at work'
  install_packages lego
  obtain "$days" || fail 'No certificate was signed, see above; the servers go on with the one that they have'
  adopt
  hand_out
}

acme() { echo "$VEIL_VAR/tls/acme"; }

domain() { saved_setting XMPP_DOMAIN; }

# Every name that clients ask servers for.
names() {
  local name service
  {
    client_names saved_setting
    for service in "${SERVICES_OF_CHAT[@]}"; do
      name="$service.$(domain)"
      [ -z "$(addresses_of "$name")" ] || echo "$name"
    done
  } | awk '!seen[$0]++'
}

# obtain DAYS: nothing is done while the certificate lasts longer than that.
obtain() {
  local options=() name
  install -d -m 0700 "$(acme)"
  for name in $(names); do options+=(--domains "$name"); done
  if [ -s "$(signed).crt" ] && [ "$(names)" = "$(cat "$(acme)/names" 2> /dev/null)" ]; then
    lego_with "${options[@]}" renew --days "$1" --no-random-sleep
  else
    lego_with "${options[@]}" run && names > "$(acme)/names"
  fi
}

# In containers the proxy has port 80 and passes the authority's questions on to the machine.
lego_with() {
  local address=''
  ! in_containers || address=$(saved_setting RTPENGINE_HOST)
  LEGO_CA_CERTIFICATES=$(saved_setting ACME_CA_FILE) lego --path "$(acme)" --server "$(saved_setting ACME_SERVER)" \
    --email "$(saved_setting ACME_EMAIL)" --accept-tos --http --http.port "$address:$(saved_setting ACME_HTTP_PORT)" "$@"
}

# Where lego has put it: a file named for the first name.
signed() { echo "$(acme)/certificates/$(names | head -n 1)"; }

# The authority of our own is kept: it signs again if this certificate is taken away.
adopt() {
  local tls="$VEIL_VAR/tls"
  if [ -f "$tls/ca.key" ]; then
    install -d -m 0700 "$tls/own"
    mv "$tls/ca.key" "$tls/own/"
    cp "$tls/ca.crt" "$tls/own/"
  fi
  install_text "$tls/server.key" 0600 < "$(signed).key"
  install_text "$tls/server.crt" 0644 < "$(signed).crt"
  install_text "$tls/ca.crt" 0644 < "$(signed).issuer.crt"
  "$ROOT/scripts/lib/self-signed.sh" "$tls" "$(domain)"
}

hand_out() {
  certificate_is_new || return 0
  if in_containers; then
    compose run --rm -T prepare
  else
    (lock_state && create_service_directories "${SERVICES[@]}")
  fi
  reload_certificate
  say "The servers show a certificate that is valid until $(openssl x509 -noout -enddate -in "$VEIL_VAR/tls/server.crt" | cut -d= -f2)"
}

main "$@"
