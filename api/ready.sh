#!/bin/bash
# Succeeds when the API has every server behind it; else prints the names of those that it does not reach.
set -euo pipefail

exec 3<> "/dev/tcp/$BIND_ADDRESS/$API_PORT"
printf 'GET /health/ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >&3
answer=$(timeout 5 cat <&3)
grep -oP '"\w+"(?=:\{"state":"down")' <<< "$answer" | tr -d '"' || true
grep -q '"status":"ready"' <<< "$answer"
