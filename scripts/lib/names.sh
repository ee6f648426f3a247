# shellcheck shell=bash
# Names and addresses as others see them.

# client_names ASK: every name that clients ask servers for, once; `ASK NAME` prints the value of a setting, or nothing.
client_names() {
  local name
  for name in XMPP_DOMAIN XMPP_HOST HTTP_UPLOAD_DOMAIN SIP_DOMAIN SIP_HOST TURN_DOMAIN; do "$1" "$name"; done |
    { grep -vE '^[0-9.]*$|:|^localhost$' || true; } | awk '!seen[$0]++'
}

# wrong_records NAME ADDRESS: what the DNS has to be told, a line for each record; nothing when it leads there and nowhere else.
wrong_records() {
  local all found
  all=$(addresses_of "$1")
  found=$(grep -v : <<< "$all" || true)
  [ "$found" = "$2" ] || echo "  $1.  A  $2${found:+   (now ${found//$'\n'/, })}"
  found=$(grep : <<< "$all" || true)
  [ -z "$found" ] || echo "  $1.  no AAAA   (now ${found//$'\n'/, }): the servers listen on IPv4"
}

# addresses_of NAME: of both families; nothing when the DNS does not know it, or does not answer.
addresses_of() { { timeout 3 getent ahosts "$1" || true; } | awk '{ print $1 }' | sort -u; }

# public_address NAME: of this machine: where it sends from, or behind NAT what the DNS says of the name; maybe nothing.
public_address() {
  local source
  source=$(ip -4 route get 192.0.2.1 2> /dev/null | sed -n 's/.* src \([0-9.]*\).*/\1/p')
  if [ -n "$source" ] && ! is_private "$source"; then
    echo "$source"
  else
    addresses_of "$1" | grep -m1 -v : || true
  fi
}

is_private() { [[ $1 =~ ^(10|127|169\.254|192\.168|172\.(1[6-9]|2[0-9]|3[01])|100\.(6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7]))\. ]]; }
