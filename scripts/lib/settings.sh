# shellcheck shell=bash
# Settings: the environment wins, then .env, then the defaults of .env.example; an empty one is derived.
# Needs ROOT, log.sh and services.sh.

# All state lies below VEIL_VAR, which only the environment sets.
locate_state() {
  VEIL_VAR=$(realpath -m "${VEIL_VAR:-$ROOT/var}")
  export VEIL_VAR
  local path
  for path in "$ROOT" "$VEIL_VAR"; do
    case $path in
      *[!A-Za-z0-9._/+@,=~-]*) fail "$path: a path may only hold letters, digits and . _ / + @ , = ~ -" ;;
    esac
  done
  # The longest socket below it is postgres/run/socket/.s.PGSQL.<port>; the system's limit is 107 characters.
  [ ${#VEIL_VAR} -le 70 ] || fail "VEIL_VAR=$VEIL_VAR is longer than 70 characters, too long for the sockets below it"
}

# Beside docker-compose.yml, which may be told of another.
settings_file() { echo "${SETTINGS_FILE:-$ROOT/.env}"; }

load_settings() {
  read_settings "$(settings_file)"
  read_settings "$ROOT/.env.example"
  derive_settings
  # Only the tests may lose data in a power cut, so this is not a setting of the product.
  export DB_FSYNC="${DB_FSYNC:-on}"
  check_names
  check_ports
}

# Takes each setting that is not set yet from a file of NAME=value lines. Values are literal; quotes around one are dropped.
read_settings() {
  local line name value
  [ -f "$1" ] || return 0
  while IFS= read -r line || [ -n "$line" ]; do
    line=${line%$'\r'}
    name=${line%%=*}
    value=${line#*=}
    is_setting "$name" || is_secret "$name" || continue
    [ -z "${!name+set}" ] || continue
    case $value in
      \"*\" | \'*\') value=${value:1:-1} ;;
    esac
    export "$name=$value"
  done < "$1"
}

setting_names() {
  local name
  sed -n 's/^\([A-Z][A-Z0-9_]*\)=.*/\1/p' "$ROOT/.env.example" | while read -r name; do
    is_secret "$name" || echo "$name"
  done
}

is_setting() {
  SETTING_NAMES=${SETTING_NAMES:-$(setting_names)}
  [[ $1 =~ ^[A-Z] && $'\n'$SETTING_NAMES$'\n' == *$'\n'$1$'\n'* ]]
}

# Secrets may be brought like settings, as NAME or NAME_FILE, but are never saved with them.
is_secret() { [[ " ${SECRETS[*]} ${OPTIONAL_SECRETS[*]} " == *" ${1%_FILE} "* ]]; }

derive_settings() {
  export XMPP_HOST="${XMPP_HOST:-$XMPP_DOMAIN}"
  export SIP_HOST="${SIP_HOST:-$XMPP_HOST}"
  export XMPP_WS_URL="${XMPP_WS_URL:-wss://$XMPP_HOST:$XMPP_WS_PORT/ws}"
  export HTTP_UPLOAD_DOMAIN="${HTTP_UPLOAD_DOMAIN:-$XMPP_HOST}"
  export SIP_DOMAIN="${SIP_DOMAIN:-$XMPP_DOMAIN}"
  export TURN_DOMAIN="${TURN_DOMAIN:-$XMPP_DOMAIN}"
  export API_INTERNAL_URL="${API_INTERNAL_URL:-http://$API_INTERNAL_ADDRESS:$API_INTERNAL_PORT}"
}

# Here sql/roles.sql makes the database and the roles, by these names.
check_names() {
  local fixed name
  for fixed in DB_NAME=veil DB_USER=veil_api DB_MIGRATE_USER=veil_migrate; do
    name=${fixed%%=*}
    [ "$name=${!name}" = "$fixed" ] || fail "$name=${!name} can't be: scripts/up.sh makes the database with $fixed"
  done
}

# Without containers.
check_internal_address() {
  [ "$INTERNAL_ADDRESS" = 127.0.0.1 ] ||
    fail "INTERNAL_ADDRESS=$INTERNAL_ADDRESS can't be: the servers that scripts/up.sh starts find each other at 127.0.0.1"
}

check_ports() {
  local name
  for name in $(setting_names | grep '_PORT$'); do
    [[ ${!name} =~ ^[1-9][0-9]{0,4}$ && ${!name} -le 65535 ]] || fail "$name=${!name} is not a port"
  done
}

# Writes what every server is started with, quoted so that any character survives. There is no secret among it.
save_settings() {
  local name
  {
    echo "# Written by scripts/up.sh: change .env or the environment instead."
    for name in VEIL_VAR DB_FSYNC $(setting_names); do
      printf 'export %s=%q\n' "$name" "${!name}"
    done
  } | install_text "$VEIL_VAR/etc/settings.env" 0644
}

# install_text FILE MODE: stdin becomes FILE at once or not at all, and only when it differs.
install_text() {
  local fresh="$1.new"
  (umask 077 && cat > "$fresh")
  if cmp -s "$fresh" "$1"; then rm "$fresh"; else mv "$fresh" "$1"; fi
  chmod "$2" "$1"
}
