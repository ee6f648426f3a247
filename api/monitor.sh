#!/bin/bash
# Becomes the monitor, which leaves a sign in RUN_DIR after each look.
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
exec "$HERE/cli.sh" monitor --sign "$RUN_DIR/monitor"
