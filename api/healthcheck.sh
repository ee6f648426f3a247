#!/bin/bash
# Succeeds when the API answers.
set -euo pipefail

address=$BIND_ADDRESS
[ "$address" != 0.0.0.0 ] || address=127.0.0.1
exec 3<> "/dev/tcp/$address/$API_PORT"
printf 'GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >&3
read -r -t 2 _ status _ <&3
[ "$status" = 200 ]
