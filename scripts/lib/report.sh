# shellcheck shell=bash
# Waiting until the servers answer their own protocol, and saying what there is. Needs ROOT, VEIL_VAR, the settings,
# log.sh and services.sh.

START_DEADLINE=60

# await_answers SERVICE...: keeps how many seconds each took; fails with the end of its log when one doesn't answer.
await_answers() {
  local service waits=() silent=0
  mkdir -p "$VEIL_VAR/run/answers"
  for service in "$@"; do
    await_answer "$service" > "$VEIL_VAR/run/answers/$service" &
    waits+=($!)
  done
  wait "${waits[@]}"
  for service in "$@"; do
    if [ -z "$(answer_of "$service")" ]; then
      explain_silence "$service"
      silent=1
    fi
  done
  return $silent
}

# Prints the seconds until the server answered, or nothing after the deadline.
await_answer() {
  local began=$EPOCHREALTIME deadline=$((SECONDS + START_DEADLINE))
  until answers "$1"; do
    [ $SECONDS -lt $deadline ] || return 0
    sleep 0.15
  done
  awk -v began="$began" -v now="$EPOCHREALTIME" 'BEGIN { printf "%.1f\n", now - began }'
}

answers() { asks "$1" healthcheck > /dev/null; }

# asks SERVICE ACTION: what that script of its folder prints, and whether it succeeds.
asks() { as_user "$(service_user "$1")" timeout 8 "$ROOT/scripts/service.sh" "$VEIL_VAR" "$1" "$2" 2> /dev/null; }

# The API looks for the others on its own, a second apart at most: it may be the last to know that they answer.
await_ready() {
  local deadline=$((SECONDS + START_DEADLINE)) missing
  until missing=$(asks api ready); do
    if [ $SECONDS -ge $deadline ]; then
      warn "The API answers, but lacks servers behind it: ${missing//$'\n'/ }. The end of $VEIL_VAR/log/api.log:"
      tail -n 15 "$VEIL_VAR/log/api.log" >&2 || true
      return 1
    fi
    sleep 0.15
  done
}

answer_of() { cat "$VEIL_VAR/run/answers/$1"; }

explain_silence() {
  warn "$1 does not answer on $(service_address "$1"). The end of $VEIL_VAR/log/$1.log:"
  tail -n 15 "$VEIL_VAR/log/$1.log" >&2 || true
}

print_table() {
  local service row='%-10s %-50s %-8s %7s\n'
  # shellcheck disable=SC2059
  printf "$row" service address state seconds
  for service in "${SERVICES[@]}"; do
    # shellcheck disable=SC2059
    printf "$row" "$service" "$(service_address "$service")" answers "$(answer_of "$service")"
  done
}

print_first_steps() {
  local host=$BIND_ADDRESS
  [ "$host" != 0.0.0.0 ] || host=$SERVER_IP
  local api="http://$host:$API_PORT/api/v1"
  local body="-H 'content-type: application/json' -d '{\"username\": \"alice\", \"password\": \"correct horse battery\"}'"
  cat <<EOT

Register an account, then log in:
  curl -sS $api/account/register $body
  curl -sS $api/account/login $body

HTTP  http://$host:$API_PORT/docs lists every call
XMPP  alice@$XMPP_DOMAIN at $XMPP_HOST:$XMPP_PORT (STARTTLS), $XMPP_HOST:$XMPP_TLS_PORT (TLS), $XMPP_WS_URL
SIP   sip:alice@$SIP_DOMAIN by $SERVER_IP:$SIP_PORT (UDP, TCP), $SIP_HOST:$SIP_TLS_PORT (TLS), wss://$SIP_HOST:$SIP_WSS_PORT
TURN  $TURN_DOMAIN:$TURN_PORT (UDP, TCP), $TURN_DOMAIN:$TURN_TLS_PORT (TLS), credentials from $api/turn/credentials

Clients trust $VEIL_VAR/tls/ca.crt. The logs are in $VEIL_VAR/log. scripts/down.sh stops everything.
EOT
}
