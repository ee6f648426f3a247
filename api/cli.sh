#!/bin/bash
# Becomes the API's command line.
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
NODE_ENV=production exec "$HERE/../node_modules/node/bin/node" "$HERE/dist/bundle/cli.js" "$@"
