#!/bin/bash
# setup-firewall.sh [--dry-run]: has ufw let in what clients of the platform need, and SSH, and nothing else. Run again
# after ports have changed: it takes back what it once opened and nobody needs any more. Rules of others stay.
# --dry-run prints what it would do.
#
# Ports that containers publish are opened by the engine itself, past ufw: docker-compose.yml has only the documented ones.
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
for part in log services settings packages ground; do
  # shellcheck source=/dev/null
  . "$ROOT/scripts/lib/$part.sh"
done

# What marks a rule as ours.
MARK=Veil
dry_run=''

main() {
  local wanted
  case "$*" in
    '') ;;
    --dry-run) dry_run=1 ;;
    *) fail 'usage: scripts/setup-firewall.sh [--dry-run]' ;;
  esac
  [ -n "$dry_run" ] || [ "$(id -u)" = 0 ] || fail 'scripts/setup-firewall.sh needs root: it changes the firewall'
  locate_state
  require_platform
  # shellcheck source=/dev/null
  wanted=$(state=$VEIL_VAR && . "$VEIL_VAR/etc/settings.env" && VEIL_VAR=$state && rules)
  [ -n "$dry_run" ] || install_packages ufw
  apply "$wanted"
}

# First what is wanted, then what is not any more: nothing that goes on is closed in between.
apply() {
  local rule
  while IFS= read -r rule; do
    # shellcheck disable=SC2086  # a rule is words
    ufw_does $rule comment "$MARK"
  done <<< "$1"
  ufw_does default deny incoming
  ufw_does default allow outgoing
  while IFS= read -r rule; do
    # shellcheck disable=SC2086
    [ -z "$rule" ] || grep -qxF "$rule" <<< "$1" || ufw_does delete $rule
  done <<< "$(our_rules)"
  ufw_does --force enable
}

ufw_does() { if [ -n "$dry_run" ]; then say "ufw $*"; else ufw "$@" > /dev/null; fi; }

# As `ufw` shows them: without the word ufw and the comment.
our_rules() {
  command -v ufw > /dev/null || return 0
  ufw show added 2> /dev/null | sed -n "s/^ufw \(.*\) comment '$MARK'\$/\1/p"
}

# One a line, in the words that ufw itself uses for it.
rules() {
  {
    ssh_ports | sed 's|.*|allow &/tcp|'
    public_ports | sed 's/^/allow /'
    ! in_containers || machine_ports
  } | awk '!seen[$0]++'
}

# Where sshd listens, and where whoever runs this came in.
ssh_ports() {
  {
    sshd -T 2> /dev/null | sed -n 's/^port //p' || true
    [ -z "${SSH_CONNECTION:-}" ] || echo "${SSH_CONNECTION##* }"
  } | grep . || echo 22
}

# What clients reach. The API's own port is for the TLS proxy before it.
public_ports() {
  if in_containers; then
    echo "$XMPP_HTTPS_PORT/tcp"
  else
    printf '%s/tcp\n' "$XMPP_HTTPS_PORT" "$XMPP_WS_PORT" "$SIP_WSS_PORT"
  fi
  [ -z "$ACME_EMAIL" ] || echo "$(authority_port)/tcp"
  printf '%s/tcp\n' "$XMPP_PORT" "$XMPP_TLS_PORT" "$SIP_PORT" "$SIP_TLS_PORT" "$TURN_PORT" "$TURN_TLS_PORT"
  printf '%s/udp\n' "$SIP_PORT" "$TURN_PORT" "$RTP_MIN_PORT:$RTP_MAX_PORT" "$TURN_MIN_PORT:$TURN_MAX_PORT"
}

# The proxy of the containers listens at HTTP_PORT for whatever asks whether a name is ours.
authority_port() { if in_containers; then echo "${HTTP_PORT:-80}"; else echo "$ACME_HTTP_PORT"; fi; }

# What only the containers reach on the machine: orders to rtpengine, and what the proxy passes on to setup-certs.sh.
machine_ports() {
  echo "allow from $INTERNAL_NETWORK to $RTPENGINE_HOST port $RTPENGINE_NG_PORT proto udp"
  [ -z "$ACME_EMAIL" ] || echo "allow from $INTERNAL_NETWORK to $RTPENGINE_HOST port $ACME_HTTP_PORT proto tcp"
}

main "$@"
