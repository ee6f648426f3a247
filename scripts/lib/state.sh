# shellcheck shell=bash
# The state directory: settings, secrets, certificate, and a directory for each server that only its user can enter.
# Needs ROOT, VEIL_VAR, the settings, log.sh, services.sh and supervisor.sh.

# Creates the state directory; refuses one that holds something else.
open_state() {
  if [ ! -e "$VEIL_VAR/run/lock" ] && [ -n "$(ls -A "$VEIL_VAR" 2> /dev/null)" ]; then
    fail "VEIL_VAR=$VEIL_VAR is not empty and was not made by Veil"
  fi
  create_state_directories
  lock_state
  take_over_directories
}

create_state_directories() {
  install -d -m 0755 "$VEIL_VAR" "$VEIL_VAR/etc" "$VEIL_VAR/tls"
  install -d -m 0700 "$VEIL_VAR/run" "$VEIL_VAR/log" "$VEIL_VAR/secrets"
}

# One up.sh or down.sh at a time.
lock_state() {
  exec 9> "$VEIL_VAR/run/lock"
  flock -w 180 9 || fail "Another up.sh or down.sh has been working on $VEIL_VAR for minutes"
}

# A server's directory that is its user's, as it once was, becomes run/ in one of root's.
take_over_directories() {
  local service directory
  for service in "${SERVICES[@]}"; do
    directory="$VEIL_VAR/$service"
    if [ -d "$directory" ] && [ "$(stat -c %u "$directory")" != 0 ]; then
      stop_supervisor
      install -d "$directory.new"
      mv -T "$directory" "$directory.new/run"
    fi
    [ ! -d "$directory.new/run" ] || mv -T "$directory.new" "$directory"
  done
}

create_users() {
  getent passwd veil > /dev/null ||
    useradd --system --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin veil
}

# Takes the operator's own secrets out of the environment, which whatever is run later inherits, and generates the rest.
create_secrets() {
  local name
  for name in "${SECRETS[@]}" "${OPTIONAL_SECRETS[@]}"; do
    take_secret "$name" "${name}_FILE"
  done
  "$ROOT/scripts/generate-secrets.sh" "$VEIL_VAR/secrets"
}

# take_secret NAME NAME_FILE: an optional one is there as long as the operator brings it, like a setting.
take_secret() {
  local value
  if [ -n "${!2:-}" ]; then
    value=$(cat "${!2}" 2> /dev/null) || fail "$2=${!2} can't be read"
    [ -n "$value" ] || fail "$2=${!2} is empty"
    bring_secret "$1" "$value"
  elif [ -n "${!1:-}" ]; then
    bring_secret "$1" "${!1}"
  elif [[ " ${OPTIONAL_SECRETS[*]} " == *" $1 "* ]]; then
    rm -f "$(secret_file "$VEIL_VAR/secrets" "$1")"
  fi
  unset "$1" "$2"
}

# The operator's own secret, from the environment or .env, instead of a generated one.
bring_secret() { printf %s "$2" | install_text "$(secret_file "$VEIL_VAR/secrets" "$1")" 0600; }

create_certificate() {
  "$ROOT/scripts/lib/self-signed.sh" "$VEIL_VAR/tls" "$XMPP_DOMAIN" "*.$XMPP_DOMAIN" "$XMPP_HOST" "$HTTP_UPLOAD_DOMAIN" \
    "$SIP_DOMAIN" "$SIP_HOST" "$TURN_DOMAIN" localhost 127.0.0.1 "$SERVER_IP"
}

# create_service_directories SERVICE...: each gets copies of what it may read, and of nothing else.
create_service_directories() {
  local service
  for service in "$@"; do
    create_service_directory "$service" "$(service_user "$service")" "$VEIL_VAR/$service"
  done
}

# The directory and what the server reads belong to root; the server writes in run/ alone. Root never touches anything
# in there: its user could have put a link to anything in the place of anything.
create_service_directory() {
  local secret part
  install -d -g "$2" -m 0750 "$3" "$3/tls" "$3/secrets"
  [ -d "$3/run" ] || install -d -o "$2" -g "$2" -m 0700 "$3/run"
  for secret in $(service_secrets "$1"); do
    lend_secret "$2" "$(secret_file "$VEIL_VAR/secrets" "$secret")" "$(secret_file "$3/secrets" "$secret")"
  done
  for part in $(service_certificate "$1"); do
    lend "$2" "$3/tls/$part" < "$VEIL_VAR/tls/$part"
  done
}

# lend_secret USER FROM TO: without the line break that an editor may have left at its end. A missing one is optional.
lend_secret() {
  if [ -e "$2" ]; then printf %s "$(cat "$2")" | lend "$1" "$3"; else rm -f "$3"; fi
}

# lend USER FILE: stdin becomes a file of root that the user can read.
lend() {
  install_text "$2" 0440
  chgrp "$1" "$2"
}
