#!/bin/bash
# Becomes the TLS proxy. Needs the settings, HTTPS_PORT, HTTP_PORT, TLS_DIR and RUN_DIR (writable).
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib/template.sh
. "$HERE/../lib/template.sh"

export HTTPS_PORT=$XMPP_HTTPS_PORT
export HTTP_PORT=${HTTP_PORT:-80}
mkdir -p "$RUN_DIR/etc"
render "$HERE/haproxy.cfg" "$RUN_DIR/etc/haproxy.cfg"

# In master-worker mode SIGUSR2 has it read certificates and configuration anew; open connections stay.
exec haproxy -W -db -f "$RUN_DIR/etc/haproxy.cfg"
