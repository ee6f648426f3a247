#!/bin/bash
# Becomes Prometheus, which asks every API process for its metrics. Needs the settings, INTERNAL_SECRET_FILE and RUN_DIR
# (writable). Keeps PROMETHEUS_DAYS days, at most 2 GB.
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib/template.sh
. "$HERE/../lib/template.sh"

export ALERT_RULES="$HERE/alerts.yml"
mkdir -p "$RUN_DIR/etc" "$RUN_DIR/data"
render "$HERE/prometheus.yml" "$RUN_DIR/etc/prometheus.yml"
exec env -i PATH="$PATH" prometheus --config.file="$RUN_DIR/etc/prometheus.yml" --storage.tsdb.path="$RUN_DIR/data" \
  --storage.tsdb.retention.time="${PROMETHEUS_DAYS:-30}d" --storage.tsdb.retention.size=2GB \
  --web.listen-address=0.0.0.0:9090 --log.level=warn
