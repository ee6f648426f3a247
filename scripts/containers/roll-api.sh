#!/bin/bash
# roll-api.sh: replaces the API's containers by as many of the present image, settings and secrets. The new ones answer
# before the old ones are told to stop, and those finish what they have: no request fails.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."

main() {
  local old
  mapfile -t old < <(docker compose ps --quiet api)
  docker compose up --detach --wait --no-deps --no-recreate --scale "api=$((2 * ${#old[@]}))" api
  docker stop "${old[@]}" > /dev/null
  docker rm "${old[@]}" > /dev/null
}

main
