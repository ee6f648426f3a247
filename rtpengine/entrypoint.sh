#!/bin/bash
# Becomes rtpengine. Needs MEDIA_IP, RTP_MIN_PORT, RTP_MAX_PORT, RTPENGINE_NG_PORT and RUN_DIR (writable).
set -euo pipefail

HERE=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=scripts/lib/template.sh
. "$HERE/../scripts/lib/template.sh"
# shellcheck source=scripts/lib/addresses.sh
. "$HERE/../scripts/lib/addresses.sh"

PORTS_PER_CALL=4
export RTPENGINE_HOST=${RTPENGINE_HOST:-127.0.0.1}
export MAX_SESSIONS=$(((RTP_MAX_PORT - RTP_MIN_PORT + 1) / PORTS_PER_CALL))

# Behind NAT: where it listens, and what it says that it does.
MEDIA_INTERFACE=$(own_address "$MEDIA_IP")
[ "$MEDIA_INTERFACE" = "$MEDIA_IP" ] || MEDIA_INTERFACE+="!$MEDIA_IP"
export MEDIA_INTERFACE

mkdir -p "$RUN_DIR/etc"
render "$HERE/rtpengine.conf" "$RUN_DIR/etc/rtpengine.conf"

exec rtpengine --config-file="$RUN_DIR/etc/rtpengine.conf"
