#!/bin/bash
# Exits 0 when Kamailio answers a SIP request. Needs BIND_ADDRESS, SIP_PORT and SIP_DOMAIN.
set -euo pipefail

# dd, because bash would send each line as a datagram of its own.
exec 3<> "/dev/udp/$BIND_ADDRESS/$SIP_PORT"
id="health-$$-$RANDOM"
printf '%s\r\n' \
  "OPTIONS sip:$SIP_DOMAIN SIP/2.0" \
  "Via: SIP/2.0/UDP 127.0.0.1;rport;branch=z9hG4bK-$id" \
  'Max-Forwards: 1' \
  "From: <sip:health@$SIP_DOMAIN>;tag=$id" \
  "To: <sip:$SIP_DOMAIN>" \
  "Call-ID: $id" \
  'CSeq: 1 OPTIONS' \
  'Content-Length: 0' \
  '' | dd bs=4096 iflag=fullblock status=none >&3

answer=$(timeout 2 dd bs=4096 count=1 status=none <&3)
[[ $answer == 'SIP/2.0 200 '* ]]
