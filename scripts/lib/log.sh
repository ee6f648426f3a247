# shellcheck shell=bash
# What the operator sees: progress on stdout, one clear line on stderr when something can't go on.

say() { printf '%s\n' "$*"; }

warn() { printf '%s\n' "$*" >&2; }

fail() {
  warn "$*"
  exit 1
}
