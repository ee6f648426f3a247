#!/bin/bash
# Exits 0 when rtpengine answers a ping on its control port. Needs RTPENGINE_NG_PORT.
set -euo pipefail

exec 3<> "/dev/udp/${RTPENGINE_HOST:-127.0.0.1}/$RTPENGINE_NG_PORT"
printf 'health%s d7:command4:pinge' "$$-$RANDOM" >&3
answer=$(timeout 2 dd bs=2048 count=1 status=none <&3)
[[ $answer == *4:pong* ]]
