#!/usr/bin/env bash
# Healthy: coturn answers a STUN Binding request on the address and port that it was configured for.
set -euo pipefail

address=$(sed -n 's/^listening-ip=//p' "$RUN_DIR/etc/turnserver.conf" 2>/dev/null) || exit 1
# The client waits for an answer without end.
timeout 2 turnutils_stunclient -p "$TURN_PORT" "$address" > /dev/null 2>&1
