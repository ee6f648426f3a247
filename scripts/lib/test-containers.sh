# shellcheck shell=bash
# The containers of docker-compose.yml as a platform of the tests' own, and a network from which they are seen as from
# outside. Needs ROOT, log.sh, settings.sh, services.sh, supervisor.sh and test-platform.sh; an engine that `docker` reaches.

outside=''
first_port=${first_port:-0}
work=${work:-}

# Exports the settings, for compose and the stories alike.
point_to_containers() {
  local number
  reserve_ports
  # shellcheck source=tests/platform.sh
  . "$ROOT/tests/platform.sh" "$first_port" "$work/containers"
  number=$((first_port / PORTS))
  export COMPOSE_PROJECT_NAME="veil-test-$first_port" COMPOSE_ENV_FILES="$work/containers.env" SETTINGS_FILE="$work/containers.env"
  export NETWORK_PREFIX="10.84.$number" SERVER_IP="198.18.$number.1" CLIENT_ADDRESS="198.18.$number.2"
  export OTHER_CLIENT_ADDRESS="198.18.$number.3" API_PROCESSES=2 COMPOSE_PROFILES=valkey,prometheus,monitor
  export COMPOSE_FILE="$ROOT/docker-compose.yml:$ROOT/tests/containers/names.yml" PUBLISH_ADDRESS=$SERVER_IP
  export MEDIA_IP=$SERVER_IP XMPP_HOST=$XMPP_DOMAIN TURN_DOMAIN="turn.$XMPP_DOMAIN"
  export HTTPS_PORT=$((first_port + 20)) HTTP_PORT=$((first_port + 21))
  export XMPP_HTTPS_PORT=$HTTPS_PORT SIP_WSS_PORT=$HTTPS_PORT API_URL="https://$XMPP_DOMAIN:$HTTPS_PORT"
  export SMTP_HOST="mail.$XMPP_DOMAIN" SMTP_PORT=$((first_port + 22)) SMTP_SECURITY=tls SMTP_USER=veil
  export SMTP_CA_FILE=/var/lib/veil/api/tls/ca.crt SMTP_FROM="veil@$XMPP_DOMAIN"
  export ALERT_EMAIL=operator@example.org MONITOR_SECONDS=3
  OPEN_FILES=$(open_files_limit)
  export OPEN_FILES
  outside="veil-test-$number"
}

# What is written into .env elsewhere.
write_settings_file() {
  local name
  for name in VEIL_VAR DB_FSYNC HTTPS_PORT HTTP_PORT NETWORK_PREFIX SETTINGS_FILE OPEN_FILES PUBLISH_ADDRESS API_PROCESSES COMPOSE_PROFILES $(setting_names); do
    [ -z "${!name+set}" ] || echo "$name=${!name}"
  done > "$SETTINGS_FILE"
}

# Secrets with every character that a shell, a URL, YAML, SQL or a configuration file could trip over. One travels in a
# header, which has no spaces; one is a key.
bring_awkward_secrets() {
  local name value
  install -d -m 0700 "$VEIL_VAR/secrets"
  for name in "${SECRETS[@]}" SMTP_PASSWORD; do
    value="q\"u'o&te/ba\\ck\$HOME \${X} %s <a> #;,:@\`id\` $(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')"
    case $name in
      INTERNAL_SECRET) value=${value// /} ;;
      VAPID_PRIVATE_KEY) continue ;;
    esac
    (umask 077 && printf %s "$value" > "$(secret_file "$VEIL_VAR/secrets" "$name")")
  done
}

# A network namespace with one cable to this machine: its addresses are those of clients.
create_outside() {
  ip netns add "$outside"
  ip link add "$outside" type veth peer name eth0 netns "$outside"
  ip address add "$SERVER_IP/24" dev "$outside"
  ip link set "$outside" up
  ip -n "$outside" address add "$CLIENT_ADDRESS/24" dev eth0
  ip -n "$outside" address add "$OTHER_CLIENT_ADDRESS/24" dev eth0
  ip -n "$outside" link set eth0 up
  ip -n "$outside" link set lo up
  ip -n "$outside" route add default via "$SERVER_IP"
}

from_outside() { nsenter --net="/run/netns/$outside" "$@"; }

remove_containers() {
  [ -n "$outside" ] || return 0
  (cd "$ROOT" && docker compose down --volumes --rmi local --timeout 5 > /dev/null 2>&1) || true
  ip netns delete "$outside" 2> /dev/null || true
}

show_container_logs() {
  docker compose ps --all
  docker compose logs --no-color --timestamps --tail 60
}
