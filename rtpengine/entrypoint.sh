#!/bin/bash
# Becomes rtpengine. Needs MEDIA_IP, RTP_MIN_PORT, RTP_MAX_PORT, RTPENGINE_NG_PORT and RUN_DIR (writable);
# with REDIS_URL_FILE calls outlive it.
set -euo pipefail

HERE=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=scripts/lib/template.sh
. "$HERE/../scripts/lib/template.sh"
# shellcheck source=scripts/lib/addresses.sh
. "$HERE/../scripts/lib/addresses.sh"
# shellcheck source=scripts/lib/redis-url.sh
. "$HERE/../scripts/lib/redis-url.sh"

PORTS_PER_CALL=4
export RTPENGINE_HOST=${RTPENGINE_HOST:-127.0.0.1}
export MAX_SESSIONS=$(((RTP_MAX_PORT - RTP_MIN_PORT + 1) / PORTS_PER_CALL))

# Behind NAT: where it listens, and what it says that it does.
MEDIA_INTERFACE=$(own_address "$MEDIA_IP")
[ "$MEDIA_INTERFACE" = "$MEDIA_IP" ] || MEDIA_INTERFACE+="!$MEDIA_IP"
export MEDIA_INTERFACE

# Without Valkey, or with one that rtpengine can't use, calls end with it.
remembers() { [ -n "${REDIS_URL_FILE:-}" ] && read_secret REDIS_URL && split_redis_url "$REDIS_URL"; }

configuration=("$HERE/rtpengine.conf")
if remembers; then configuration+=("$HERE/rtpengine-redis.conf"); fi
mkdir -p "$RUN_DIR/etc"
render <(cat "${configuration[@]}") "$RUN_DIR/etc/rtpengine.conf"

# A clean environment: Valkey's password is in the file, which nobody else reads.
exec env -i PATH="$PATH" rtpengine --config-file="$RUN_DIR/etc/rtpengine.conf"
