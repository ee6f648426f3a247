#!/usr/bin/env bash
# Healthy: ejabberd opens a stream for our domain on the client port and offers its features.
set -euo pipefail

{ exec 3<>"/dev/tcp/$BIND_ADDRESS/$XMPP_PORT"; } 2>/dev/null || exit 1
printf '%s' "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'" \
  " to='$XMPP_DOMAIN' version='1.0'>" >&3
while IFS= read -r -t 2 -d '>' tag <&3; do
  [[ $tag != '</stream:features' ]] || exit 0
done
exit 1
