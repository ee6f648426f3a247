# shellcheck shell=bash
# The second half of a restore: loads the databases and uploads that restore.sh has laid into restore/, before any other
# server than PostgreSQL runs. What is loaded is removed from there, so that it can be broken off and go on.
# Needs ROOT, VEIL_VAR, log.sh, services.sh, ground.sh and database.sh.

load_restored() {
  [ -d "$VEIL_VAR/restore" ] || return 0
  say 'Loading the backup'
  make_roles
  load_database veil veil_owner
  load_database ejabberd ejabberd
  load_uploads
  rm -rf "$VEIL_VAR/restore"
}

make_roles() {
  if in_containers; then compose run --rm -T database; else apply_roles "$VEIL_VAR/secrets"; fi
}

# load_database NAME OWNER: whole or not at all. Who may connect is said by sql/roles.sql, which runs once more afterwards.
load_database() {
  local dump="$VEIL_VAR/restore/$1.dump"
  [ -e "$dump" ] || return 0
  superuser_sql postgres <<< "DROP DATABASE IF EXISTS $1 WITH (FORCE)"
  superuser_sql postgres <<< "CREATE DATABASE $1 OWNER $2"
  in_server postgres pg_restore -h "$(server_directory postgres)/socket" -p "$DB_PORT" --dbname="$1" \
    --exit-on-error --single-transaction < "$dump" || fail "The database $1 could not be loaded, see above"
  rm "$dump"
}

# ejabberd does not run yet: nobody else is in its directory.
load_uploads() {
  local uploads="$VEIL_VAR/restore/upload" user
  [ -d "$uploads" ] || return 0
  if in_containers; then
    tar -C "$VEIL_VAR/restore" -c upload |
      compose run --rm -T --no-deps --entrypoint tar ejabberd -C "$(server_directory ejabberd)" -x
    return
  fi
  user=$(service_user ejabberd)
  chown -Rh "$user:" "$uploads"
  chmod -R u=rwX,go= "$uploads"
  rm -rf "$VEIL_VAR/ejabberd/run/upload"
  mv "$uploads" "$VEIL_VAR/ejabberd/run/upload"
}
