#!/bin/bash
# Succeeds when Valkey answers a ping.
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib/template.sh
. "$HERE/../lib/template.sh"
# shellcheck source=scripts/lib/redis-url.sh
. "$HERE/../lib/redis-url.sh"

read_secret REDIS_URL
split_redis_url "$REDIS_URL"
[ "$(REDISCLI_AUTH=$REDIS_PASSWORD timeout 2 valkey-cli -p "$REDIS_PORT" ping)" = PONG ]
