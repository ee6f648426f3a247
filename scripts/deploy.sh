#!/bin/bash
# deploy.sh [--domain NAME] [--email ADDRESS | --self-signed] [--address IP] [--no-timers] [--yes]: makes this machine a public
# server: asks for what it is not told, looks whether names and ports are right and says what is missing, makes secrets, builds and starts the containers of
# docker-compose.yml, gets certificates, looks whether everything works, and prints where things are and the first invite.
#
# Run it again whenever you like, also after it was broken off: what is done already stays as it is. Settings are in
# .env; what is there already is not asked for. --yes asks nothing. --no-timers leaves cron alone. With --self-signed, an
# authority of our own signs the certificate, which clients then have to be told to trust.
set -euo pipefail
umask 022

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
for part in log services settings packages addresses ground names version; do
  # shellcheck source=/dev/null
  . "$ROOT/scripts/lib/$part.sh"
done

SETTINGS=$(settings_file)
domain='' email='' address='' yes='' timers=1 self_signed=''

main() {
  read_options "$@"
  [ "$(id -u)" = 0 ] || fail 'scripts/deploy.sh needs root: it makes secrets, and gives each server what is its'
  require_engine
  locate_state
  choose_settings
  check_names
  check_ports
  "$ROOT/scripts/generate-secrets.sh" "$VEIL_VAR/secrets"
  start
  get_certificates
  [ -z "$timers" ] || set_timers
  examine
  say_where
  invite
}

read_options() {
  while [ $# -gt 0 ]; do
    case $1 in
      --domain) domain=${2:?--domain needs a name}; shift ;;
      --email) email=${2:?--email needs an address}; shift ;;
      --address) address=${2:?--address needs an IPv4 address}; shift ;;
      --self-signed) self_signed=1 ;;
      --no-timers) timers='' ;;
      --yes) yes=1 ;;
      *) fail 'usage: scripts/deploy.sh [--domain NAME] [--email ADDRESS | --self-signed] [--address IP] [--no-timers] [--yes]' ;;
    esac
    shift
  done
}

require_engine() {
  { docker compose version && docker info; } > /dev/null 2>&1 ||
    fail 'Docker with Compose 2.24 or newer must be installed and running: https://docs.docker.com/engine/install'
}

# --- Settings ---

choose_settings() {
  choose XMPP_DOMAIN "$domain" 'The domain, which is behind the @ of every account'
  [ -n "$self_signed" ] || choose ACME_EMAIL "$email" 'Your mail address, to which the certificate authority may write'
  set_once XMPP_HOST "$(setting_of XMPP_DOMAIN)"
  [ -n "$(setting_of SERVER_IP)" ] || set_once SERVER_IP "${address:-$(public_address "$(setting_of XMPP_HOST)")}"
  [ -n "$(setting_of SERVER_IP)" ] || choose SERVER_IP '' 'The public IPv4 address of this machine'
  check_address "$(setting_of SERVER_IP)"
  # Behind NAT the machine has another. Where it has this one itself, it answers by UDP from where it was asked, its containers too.
  [ "$(own_address "$(setting_of SERVER_IP)")" != "$(setting_of SERVER_IP)" ] || set_once PUBLISH_ADDRESS "$(setting_of SERVER_IP)"
  # A server that everybody finds is not one where everybody registers.
  set_once REGISTRATION invite
}

# In .env, or in the environment, which wins.
setting_of() {
  if [ -n "${!1:-}" ]; then
    echo "${!1}"
  else
    { grep "^$1=" "$SETTINGS" 2> /dev/null || true; } | tail -n 1 | cut -d= -f2-
  fi
}

# choose NAME GIVEN QUESTION: what is set stays; else what was given, else what is answered.
choose() {
  local present
  present=$(setting_of "$1")
  [ -z "$present" ] || [ -z "$2" ] || [ "$present" = "$2" ] || fail "$1 is $present already, in $SETTINGS: change it there if you mean it"
  [ -z "$present" ] || return 0
  local value=$2
  if [ -z "$value" ]; then
    [ -z "$yes" ] || fail "$1 must be given: $3"
    read -rp "$3: " value
  fi
  [ -n "$value" ] || fail "$1 must be given: $3"
  set_once "$1" "$value"
}

# The file is whole at every moment.
set_once() {
  [ -z "$(setting_of "$1")" ] && [ -n "$2" ] || return 0
  [[ $2 =~ ^[A-Za-z0-9._@:+-]+$ ]] || fail "$1=$2 can't be"
  (umask 077 && { { cat "$SETTINGS" 2> /dev/null || true; } | { grep -v "^$1=\$" || true; } && echo "$1=$2"; } > "$SETTINGS.new")
  mv "$SETTINGS.new" "$SETTINGS"
}

check_address() { [[ $1 =~ ^([0-9]{1,3}\.){3}[0-9]{1,3}$ ]] || fail "SERVER_IP=$1 is not an IPv4 address"; }

# --- What others must have done ---

check_names() {
  local wrong name
  wrong=$(for name in $(client_names setting_of); do wrong_records "$name" "$(setting_of SERVER_IP)"; done)
  [ -z "$wrong" ] || hesitate 'The DNS does not lead here yet. Without these records nobody finds the server, and no certificate is signed:' "$wrong"
}

check_ports() {
  local taken
  [ -z "$(compose ps --quiet 2> /dev/null)" ] || return 0
  taken=$(taken_ports)
  [ -z "$taken" ] || fail "Somebody else listens where the platform has to. Stop them, or choose other ports in $SETTINGS:"$'\n'"$taken"
}

# Ports of clients, as HTTP_PORT and others say or as they are by default, at which another process of this machine listens.
taken_ports() {
  local name fallback port
  while read -r name fallback; do
    port=$(setting_of "$name")
    port=${port:-$fallback}
    ss -Hlntup "sport = :$port" | awk -v name="$name" -v port="$port" '{ print "  " name "=" port " " $1 ": " $NF }'
  done <<< 'HTTP_PORT 80
HTTPS_PORT 443
XMPP_PORT 5222
XMPP_TLS_PORT 5223
SIP_PORT 5060
SIP_TLS_PORT 5061
TURN_PORT 3478
TURN_TLS_PORT 5349'
}

# hesitate WHAT DETAILS: it may be meant so.
hesitate() {
  local answer
  warn "$1"
  warn "$2"
  [ -z "$yes" ] || return 0
  read -rp 'Go on all the same? [y/N] ' answer
  [[ $answer == [yY]* ]] || fail 'Nothing was started'
}

# --- The platform ---

start() {
  say 'Building the images, which takes some minutes the first time'
  compose build --quiet
  say 'Starting'
  compose up --detach --wait --no-build
  checked_out_version > "$VEIL_VAR/etc/version"
}

get_certificates() {
  "$ROOT/scripts/setup-certs.sh" ||
    warn 'The servers show a certificate of an authority of our own for now. Run scripts/setup-certs.sh when what is said above is mended.'
}

# A file of our own, and a minute that not every server has.
set_timers() {
  local minute=$((RANDOM % 60))
  install_packages cron
  [ ! -e /etc/cron.d/veil ] || return 0
  cat > /etc/cron.d/veil.new <<EOT
# Written once by scripts/deploy.sh: yours to change.
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
MAILTO=$(setting_of ACME_EMAIL)
$minute 3 * * * root VEIL_VAR=$VEIL_VAR $ROOT/scripts/backup.sh --keep 14 > /dev/null
$minute 4 * * * root VEIL_VAR=$VEIL_VAR $ROOT/scripts/setup-certs.sh > /dev/null
EOT
  mv /etc/cron.d/veil.new /etc/cron.d/veil
}

# --- What there is ---

# With an authority of our own, whom the doctor is told to trust.
examine() {
  local trust=()
  [ ! -e "$VEIL_VAR/tls/ca.key" ] || trust=(--ca "$CONTAINER_STATE/api/tls/ca.crt")
  say 'Looking whether everything works'
  compose exec -T api veil doctor --quiet "${trust[@]}" ||
    warn 'Not everything does, see above. When it is mended: docker compose exec api veil doctor'
}

say_where() {
  local host https
  host=$(saved_setting XMPP_HOST)
  https=$(saved_setting XMPP_HTTPS_PORT)
  cat <<EOT

API   https://$host:$https/api/v1, described at https://$host:$https/docs
XMPP  $host:$(saved_setting XMPP_PORT) (STARTTLS), $host:$(saved_setting XMPP_TLS_PORT) (TLS), $(saved_setting XMPP_WS_URL)
SIP   $host:$(saved_setting SIP_PORT) (UDP, TCP), $host:$(saved_setting SIP_TLS_PORT) (TLS), wss://$host:$https
TURN  $(saved_setting TURN_DOMAIN):$(saved_setting TURN_PORT) (UDP, TCP), $(saved_setting TURN_DOMAIN):$(saved_setting TURN_TLS_PORT) (TLS)

Next: scripts/setup-firewall.sh, and a copy of the backup key on another machine (docs/operations.md).
EOT
}

# The first one only: others are made by hand.
invite() {
  [ "$(saved_setting REGISTRATION)" = invite ] && [ ! -e "$VEIL_VAR/run/invited" ] || return 0
  say ''
  say 'An invite for the first five accounts, shown this once:'
  compose exec -T api veil invite create --uses 5 --days 7
  touch "$VEIL_VAR/run/invited"
}

main "$@"
