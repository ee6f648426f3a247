# shellcheck shell=bash
# The npm packages, which bring the Node that the API runs on, and the compiled API. Needs ROOT and log.sh.

NODE="$ROOT/node_modules/node/bin/node"

install_node_modules() {
  if ! is_installed; then
    has_node || fail 'Node 20 or newer with npm is needed, for instance from https://nodejs.org'
    say 'Installing the npm packages'
    (cd "$ROOT" && npm ci --no-audit --no-fund --loglevel=error) || fail 'npm ci failed, see above'
  fi
  [ -x "$NODE" ] || fail "$NODE is missing: npm ran without install scripts; remove node_modules and run npm ci"
}

has_node() { command -v npm > /dev/null && node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)'; }

is_installed() { [ -x "$NODE" ] && "$NODE" "$ROOT/scripts/lib/installed.mjs" "$ROOT"; }

build_api() {
  is_newer_than "$ROOT/api/dist/bundle/main.js" "$ROOT"/api/{src,bundle.mjs,tsconfig.json,package.json} "$ROOT/package-lock.json" || return 0
  say 'Building the API'
  (cd "$ROOT" && npm run -s build -w api) || fail 'The API does not build, see above'
}

# is_newer_than FILE SOURCE...: true when FILE is missing or a source has changed since.
is_newer_than() {
  local file=$1
  shift
  [ ! -e "$file" ] || [ -n "$(find "$@" -newer "$file" -print -quit)" ]
}
