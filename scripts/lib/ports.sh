# shellcheck shell=bash
# Looks for taken ports before anything is started. Needs the settings, log.sh, services.sh and processes.sh.

check_ports_are_free() {
  local service setting protocol address taken=0
  local sockets own
  sockets=$(ss -Hlntup)
  own=" $(server_processes "${SERVICES[@]}" | tr '\n' ' ')"
  check_ports_differ
  while read -r service setting protocol address; do
    check_port "$service" "$setting" "$protocol" "$address" || taken=1
  done < <(listeners)
  [ "$taken" = 0 ] || exit 1
}

check_ports_differ() {
  local twice
  twice=$(listeners | while read -r _ setting protocol _; do echo "$protocol ${!setting} $setting"; done |
    awk 'name[$1 $2] { print name[$1 $2] " and " $3 " are both " $2; exit } { name[$1 $2] = $3 }')
  [ -z "$twice" ] || fail "$twice: each server needs a port of its own"
}

# One line for a port that somebody else holds: which, which setting changes it, and who it is.
check_port() {
  local holder
  holder=$(holder_of "$3" "$4" "${!2}") || return 0
  warn "Port ${!2}/$3 on $4 is taken${holder:+ by $holder}: stop that, or choose another port for $1 with $2."
  return 1
}

# Succeeds when a process that is not ours listens there, and prints what is known about it. Looks at the `sockets` and
# the `own` processes that its caller has listed.
holder_of() {
  local protocol _ local_address users pid
  while read -r protocol _ _ _ local_address _ users; do
    [ "$protocol ${local_address##*:}" = "$1 $3" ] || continue
    overlaps "${local_address%:*}" "$2" || continue
    pid=$(sed -n 's/.*pid=\([0-9]*\).*/\1/p' <<< "$users")
    [[ -n $pid && $own == *" $pid "* ]] && continue
    [ -z "$pid" ] || echo "$(cat "/proc/$pid/comm") (pid $pid)"
    return 0
  done <<< "$sockets"
  return 1
}

overlaps() {
  case ${1%\%*} in
    "$2" | 0.0.0.0 | '*' | '[::]') return 0 ;;
  esac
  [ "$2" = 0.0.0.0 ]
}
