# shellcheck shell=bash
# Configuration templates: __NAME__ becomes the value of the variable NAME, __yaml:NAME__ the same as a
# double-quoted YAML string. Values are taken literally: any character survives, only line breaks are refused.

# read_secret NAME: sets and exports NAME from the file NAME_FILE when that is given.
read_secret() {
  local file_variable="${1}_FILE"
  if [ -n "${!file_variable:-}" ]; then
    printf -v "$1" '%s' "$(cat "${!file_variable}")"
  fi
  if [ -z "${!1:-}" ]; then
    echo "$1 (or ${1}_FILE) is not set" >&2
    return 1
  fi
  export "${1?}"
}

# render TEMPLATE OUTPUT: writes OUTPUT with mode 0600; fails when a placeholder has no value.
render() {
  local umask_before
  umask_before=$(umask)
  umask 077
  awk '
    function yaml(value) { gsub(/[\\"]/, "\\\\&", value); return "\"" value "\"" }
    {
      rest = $0; line = ""
      while (match(rest, /__(yaml:)?[A-Z][A-Z0-9_]*[A-Z0-9]__/)) {
        name = substr(rest, RSTART + 2, RLENGTH - 4)
        quoted = sub(/^yaml:/, "", name)
        if (!(name in ENVIRON)) { print FILENAME ": " name " has no value" > "/dev/stderr"; failed = 1; exit 1 }
        value = ENVIRON[name]
        if (index(value, "\n")) { print FILENAME ": " name " has a line break" > "/dev/stderr"; failed = 1; exit 1 }
        line = line substr(rest, 1, RSTART - 1) (quoted ? yaml(value) : value)
        rest = substr(rest, RSTART + RLENGTH)
      }
      print line rest
    }' "$1" > "$2" || { umask "$umask_before"; rm -f "$2"; return 1; }
  umask "$umask_before"
}
