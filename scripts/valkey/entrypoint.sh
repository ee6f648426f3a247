#!/bin/bash
# Becomes Valkey, which keeps nothing on disk: processes of the API tell each other through it, and rtpengine finds its
# calls in it after a restart. Needs REDIS_URL or REDIS_URL_FILE, whose password it asks for.
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib/template.sh
. "$HERE/../lib/template.sh"
# shellcheck source=scripts/lib/redis-url.sh
. "$HERE/../lib/redis-url.sh"

read_secret REDIS_URL
split_redis_url "$REDIS_URL"
mkdir -p "$RUN_DIR/etc"
render "$HERE/valkey.conf" "$RUN_DIR/etc/valkey.conf"
exec env -i PATH="$PATH" valkey-server "$RUN_DIR/etc/valkey.conf"
