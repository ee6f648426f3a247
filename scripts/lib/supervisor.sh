# shellcheck shell=bash
# supervisord: the only process of the platform that runs as root. It starts each server as its own user and again
# when it ends. Needs ROOT, VEIL_VAR, services.sh and processes.sh.

supervisor_conf() { echo "$VEIL_VAR/etc/supervisord.conf"; }

# The programs are started in order by start_servers, not by supervisord itself.
supervisor_configuration() {
  local service
  cat <<EOT
; Written by scripts/up.sh.
[supervisord]
user=root
logfile=$VEIL_VAR/log/supervisord.log
logfile_maxbytes=1MB
logfile_backups=1
pidfile=$VEIL_VAR/run/supervisord.pid
childlogdir=$VEIL_VAR/log
minfds=$(open_files_limit)
umask=022

[unix_http_server]
file=$VEIL_VAR/run/supervisor.sock
chmod=0700

[supervisorctl]
serverurl=unix://$VEIL_VAR/run/supervisor.sock

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
EOT
  for service in "${SERVICES[@]}"; do
    program_configuration "$service"
  done
}

# A server that crashes is started again for ever, a second later each time: a long outage of its database is no
# reason to give up. The fingerprint makes `supervisorctl update` restart exactly what has changed.
program_configuration() {
  cat <<EOT

[program:$1]
command=$ROOT/scripts/service.sh $VEIL_VAR $1
user=$(service_user "$1")
environment=VEIL_FINGERPRINT="$(fingerprint "$1")"
autostart=false
autorestart=true
startsecs=2
startretries=1000000
stopsignal=$([ "$1" = postgres ] && echo INT || echo TERM)
stopwaitsecs=$([ "$1" = api ] && echo 40 || echo 20)
killasgroup=true
redirect_stderr=true
stdout_logfile=$VEIL_VAR/log/$1.log
stdout_logfile_maxbytes=10MB
stdout_logfile_backups=3
EOT
}

# Everything that a server is started with: its folder and the settings it names, its secrets, for the API its packages.
# Not its certificate: a new one is taken over while it runs.
fingerprint() {
  {
    folder_files "$1" | xargs -0 cat
    grep -f <(named_settings "$1") "$VEIL_VAR/etc/settings.env"
    find "$VEIL_VAR/$1/secrets" -type f -print0 | sort -z | xargs -0 cat
    cat "$ROOT/scripts/service.sh" "$ROOT/scripts/lib/template.sh"
    [ "$1" != api ] || cat "$ROOT/package-lock.json"
  } | sha256sum | cut -c1-16
}

named_settings() { folder_files "$1" | xargs -0 grep -ohE '[A-Z][A-Z0-9_]*[A-Z0-9]' | sort -u | sed 's/.*/^export &=/'; }

folder_files() {
  find "$(service_folder "$1")" \( -name src -o -name node_modules \) -prune -o -type f -print0 | sort -z
}

open_files_limit() {
  local hard
  hard=$(ulimit -Hn)
  if [ "$hard" = unlimited ] || [ "$hard" -gt 65536 ]; then echo 65536; else echo "$hard"; fi
}

supervisor_pid() {
  local pid
  pid=$(cat "$VEIL_VAR/run/supervisord.pid" 2> /dev/null) || return 1
  grep -qszF "$(supervisor_conf)" "/proc/$pid/cmdline" && echo "$pid"
}

# In an environment of its own: nothing of the operator's shell reaches a server.
start_supervisor() {
  rm -f "$VEIL_VAR/run/supervisor.sock"
  env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
    /usr/bin/supervisord -c "$(supervisor_conf)" 9>&- # the lock is not its
}

control() { /usr/bin/supervisorctl -c "$(supervisor_conf)" "$@"; }

# Brings supervisord up with the present configuration, or has it take the present one over.
supervise() {
  local pid
  supervisor_configuration > "$(supervisor_conf)"
  if pid=$(supervisor_pid) && sees_what_we_see "$pid"; then
    control update > /dev/null
  else
    stop_supervisor
    stop_leftovers
    start_supervisor
  fi
}

# In a mount namespace of its own it keeps the directories that were there when it started, even if they have been
# replaced since, as npm does with node_modules.
sees_what_we_see() {
  local directory
  for directory in "$ROOT"/*/ "$VEIL_VAR"; do
    [ "$directory" -ef "/proc/$1/root$directory" ] || return 1
  done
}

# start_servers NAME: those of the name, or `all`, that are not running; one that waits after a crash is tried at once.
# supervisorctl goes on in the background until they have lasted for startsecs; that they answer comes sooner.
start_servers() {
  local states crashed
  states=$(control status "$1" || true)
  mapfile -t crashed < <(awk '$2 == "BACKOFF" || $2 == "FATAL" { print $1 }' <<< "$states")
  [ ${#crashed[@]} -eq 0 ] || control stop "${crashed[@]}" > /dev/null
  if grep -qvE '^[^ ]+ +(RUNNING|STARTING) ' <<< "$states"; then control start "$1" > /dev/null & fi
}

# Servers that go on without their supervisor after it was killed.
stop_leftovers() {
  local pids
  mapfile -t pids < <(server_processes "${SERVICES[@]}")
  stop_processes 20 "${pids[@]}"
}

# PostgreSQL goes last: the others may have something left to write.
stop_supervisor() {
  local pid service
  pid=$(supervisor_pid) || return 0
  for service in "${SERVICES[@]}"; do
    [ "$service" = postgres ] || control stop "$service" > /dev/null &
  done
  wait
  control shutdown > /dev/null
  while any_alive "$pid"; do sleep 0.05; done
}
