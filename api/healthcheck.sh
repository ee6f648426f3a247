#!/bin/bash
# Succeeds when the API answers.
set -euo pipefail

exec 3<> "/dev/tcp/$BIND_ADDRESS/$API_PORT"
printf 'GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >&3
read -r -t 2 _ status _ <&3
[ "$status" = 200 ]
