#!/bin/bash
# Becomes rtpengine. Needs MEDIA_IP, RTP_MIN_PORT, RTP_MAX_PORT, RTPENGINE_NG_PORT and RUN_DIR (writable).
set -euo pipefail

HERE=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=scripts/lib/template.sh
. "$HERE/../scripts/lib/template.sh"

PORTS_PER_CALL=4
export RTPENGINE_HOST=${RTPENGINE_HOST:-127.0.0.1}
export MAX_SESSIONS=$(((RTP_MAX_PORT - RTP_MIN_PORT + 1) / PORTS_PER_CALL))

mkdir -p "$RUN_DIR/etc"
render "$HERE/rtpengine.conf" "$RUN_DIR/etc/rtpengine.conf"

exec rtpengine --config-file="$RUN_DIR/etc/rtpengine.conf"
