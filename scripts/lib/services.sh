# shellcheck shell=bash
# The servers of the platform, in the order in which they are shown. Needs ROOT, log.sh, and for the listeners the settings.

# shellcheck disable=SC2034  # read by the scripts that include this file
SERVICES=(postgres ejabberd rtpengine kamailio coturn api)

# What there is in containers besides: a proxy before the API and the web sides of the others, Valkey and
# Prometheus where they are asked for, and two steps that end.
# shellcheck disable=SC2034  # read by the scripts that include this file
CONTAINERS=(proxy valkey prometheus database migrate)

# The user that a server runs as: its package's own, `veil` for the API.
service_user() {
  case $1 in
    coturn) echo turnserver ;;
    api | migrate) echo veil ;;
    proxy) echo haproxy ;;
    database) echo postgres ;;
    *) echo "$1" ;;
  esac
}

# The number of that user in every image, and on the files that are lent to it.
service_id() {
  case $(service_user "$1") in
    postgres) echo 901 ;;
    ejabberd) echo 902 ;;
    kamailio) echo 903 ;;
    rtpengine) echo 904 ;;
    turnserver) echo 905 ;;
    veil) echo 906 ;;
    haproxy) echo 907 ;;
    valkey) echo 908 ;;
    prometheus) echo 909 ;;
  esac
}

# The folder that holds a server's configuration, entrypoint.sh and healthcheck.sh.
service_folder() {
  case $1 in
    postgres | database) echo "$ROOT/scripts/postgres" ;;
    proxy | valkey | prometheus) echo "$ROOT/scripts/$1" ;;
    migrate) echo "$ROOT/api" ;;
    *) echo "$ROOT/$1" ;;
  esac
}

# The secrets that a server may read, and no other.
service_secrets() {
  case $1 in
    ejabberd) echo DB_EJABBERD_PASSWORD XMPP_COMPONENT_SECRET TURN_SECRET ;;
    kamailio) echo DB_KAMAILIO_PASSWORD INTERNAL_SECRET ;;
    coturn) echo TURN_SECRET ;;
    rtpengine | valkey) echo REDIS_URL ;;
    prometheus) echo INTERNAL_SECRET ;;
    database) echo DB_PASSWORD DB_MIGRATE_PASSWORD DB_EJABBERD_PASSWORD DB_KAMAILIO_PASSWORD ;;
    migrate) echo DB_MIGRATE_PASSWORD ;;
    api)
      echo DB_PASSWORD JWT_SECRET JWT_PREVIOUS_SECRET NAME_SECRET MESSAGE_SECRET MESSAGE_PREVIOUS_SECRET TURN_SECRET \
        INTERNAL_SECRET SMTP_PASSWORD XMPP_COMPONENT_SECRET VAPID_PRIVATE_KEY APNS_KEY FCM_SERVICE_ACCOUNT REDIS_URL
      ;;
  esac
}

# The secrets that are generated. The file of a secret has its name in lower case.
# shellcheck disable=SC2034  # read by the scripts that include this file
SECRETS=(DB_PASSWORD DB_MIGRATE_PASSWORD DB_EJABBERD_PASSWORD DB_KAMAILIO_PASSWORD
  JWT_SECRET NAME_SECRET MESSAGE_SECRET TURN_SECRET INTERNAL_SECRET XMPP_COMPONENT_SECRET VAPID_PRIVATE_KEY)

# Those that only the operator can bring; there is none unless he does.
# shellcheck disable=SC2034  # read by the scripts that include this file
OPTIONAL_SECRETS=(SMTP_PASSWORD JWT_PREVIOUS_SECRET MESSAGE_PREVIOUS_SECRET APNS_KEY FCM_SERVICE_ACCOUNT REDIS_URL)

# The parts of the certificate that a server may read.
service_certificate() {
  case $1 in
    ejabberd) echo ca.crt server.pem ;;
    kamailio) echo ca.crt server.crt server.key ;;
    coturn) echo server.crt server.key ;;
    proxy) echo server.pem ;;
    api) echo ca.crt ;;
  esac
}

# secret_file DIRECTORY NAME
secret_file() { echo "$1/${2,,}"; }

# One line per listening socket: service, setting that holds the port, protocol, address.
listeners() {
  cat <<EOT
postgres DB_PORT tcp $INTERNAL_ADDRESS
ejabberd XMPP_PORT tcp $BIND_ADDRESS
ejabberd XMPP_TLS_PORT tcp $BIND_ADDRESS
ejabberd XMPP_WS_PORT tcp $BIND_ADDRESS
ejabberd XMPP_HTTPS_PORT tcp $BIND_ADDRESS
ejabberd XMPP_API_PORT tcp $INTERNAL_ADDRESS
ejabberd XMPP_COMPONENT_PORT tcp $INTERNAL_ADDRESS
rtpengine RTPENGINE_NG_PORT udp $RTPENGINE_HOST
kamailio SIP_PORT udp $BIND_ADDRESS
kamailio SIP_PORT tcp $BIND_ADDRESS
kamailio SIP_TLS_PORT tcp $BIND_ADDRESS
kamailio SIP_WSS_PORT tcp $BIND_ADDRESS
kamailio SIP_RPC_PORT tcp $INTERNAL_ADDRESS
coturn TURN_PORT udp $BIND_ADDRESS
coturn TURN_PORT tcp $BIND_ADDRESS
coturn TURN_TLS_PORT tcp $BIND_ADDRESS
api API_PORT tcp $BIND_ADDRESS
api API_INTERNAL_PORT tcp $API_INTERNAL_ADDRESS
EOT
}

# Where a server listens, for people: `127.0.0.1:5222,5223`.
service_address() {
  local service setting address text='' last=''
  while read -r service setting _ address; do
    [ "$service" = "$1" ] || continue
    case "$text," in
      *[:,]"${!setting},"*) ;;
      *) if [ "$address" = "$last" ]; then text+=",${!setting}"; else text+="${text:+ }$address:${!setting}"; fi ;;
    esac
    last=$address
  done < <(listeners)
  echo "$text"
}

as_user() {
  local user=$1
  shift
  if [ "$(id -un)" = "$user" ]; then
    "$@"
    return
  fi
  setpriv --reuid="$user" --regid="$(id -g "$user")" --init-groups "$@"
}

# Says it clearly when a server's user can't read the checkout after all.
check_readable() {
  local service entrypoint
  for service in "${SERVICES[@]}"; do
    entrypoint="$(service_folder "$service")/entrypoint.sh"
    as_user "$(service_user "$service")" test -r "$entrypoint" -a -x "$entrypoint" ||
      fail "The user $(service_user "$service") can't read $entrypoint: run chmod -R go+rX $ROOT"
  done
}
