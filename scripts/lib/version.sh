# shellcheck shell=bash
# Which version of Veil runs, and which is checked out. Needs ROOT and VEIL_VAR.

checked_out_version() { git -C "$ROOT" -c safe.directory="$ROOT" describe --tags --always 2> /dev/null || echo unknown; }

running_version() { cat "$VEIL_VAR/etc/version" 2> /dev/null || echo unknown; }
