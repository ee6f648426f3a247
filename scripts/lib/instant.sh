# shellcheck shell=bash
# One moment of both databases, of which dumps can be made while everybody goes on writing. Two databases have no
# snapshot in common: theirs are taken while no account can begin to change, so that neither holds a change of which
# the other does not know. That takes milliseconds; changes that had begun are finished or undone by the reaper, after
# a restore as after a crash. Needs database.sh and log.sh.

INSTANT_DEADLINE=30

instant=''

# hold_instant DIRECTORY: until release_instant, which is called in any case.
hold_instant() {
  instant=$1
  open_session barrier veil
  open_session veil veil
  open_session ejabberd ejabberd
  # A change begins by a row in one of these tables.
  ask barrier "SET lock_timeout = '10s'; BEGIN; LOCK TABLE accounts, password_changes IN SHARE MODE; SELECT 'held';"
  ask veil 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT pg_export_snapshot();'
  ask ejabberd 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT pg_export_snapshot();'
  close_session barrier
}

release_instant() {
  close_session veil
  close_session ejabberd
}

# The id by which pg_dump takes it.
snapshot_of() { cat "$instant/session.$1.answer"; }

declare -A session_input=() session_process=()

# open_session NAME DATABASE: a connection of the superuser that lasts as long as this process, however that ends.
open_session() {
  local input
  mkfifo "$instant/session.$1"
  (
    for input in "${session_input[@]}"; do exec {input}>&-; done
    superuser_sql "$2" < "$instant/session.$1" > "$instant/session.$1.answer"
  ) &
  session_process[$1]=$!
  exec {input}> "$instant/session.$1"
  session_input[$1]=$input
}

# ask NAME STATEMENTS: returns when their one row is there; fails when the session ends before, or takes too long.
ask() {
  local deadline=$((SECONDS + INSTANT_DEADLINE))
  printf '%s\n' "$2" >&"${session_input[$1]}"
  until [ -s "$instant/session.$1.answer" ]; do
    kill -0 "${session_process[$1]}" 2> /dev/null || fail "PostgreSQL ended the session $1, see above"
    [ $SECONDS -lt $deadline ] || fail "PostgreSQL takes longer than $INSTANT_DEADLINE s to hold both databases"
    sleep 0.01
  done
}

# Its transaction ends with it.
close_session() {
  local input=${session_input[$1]:-}
  [ -n "$input" ] || return 0
  exec {input}>&-
  unset "session_input[$1]"
  wait "${session_process[$1]}" || true
}
