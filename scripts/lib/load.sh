# shellcheck shell=bash
# The second half of a restore: loads the databases and uploads that restore.sh has laid into restore/, before any other
# server than PostgreSQL runs. What is loaded is removed from there, so that it can be broken off and go on.
# Needs ROOT, VEIL_VAR, log.sh, services.sh and database.sh.

load_restored() {
  local database
  [ -d "$VEIL_VAR/restore" ] || return 0
  say 'Loading the backup'
  for database in veil ejabberd; do
    [ ! -e "$VEIL_VAR/restore/$database.dump" ] || load_database "$database"
  done
  load_uploads
  rm -rf "$VEIL_VAR/restore"
}

# Into an empty database whose roles and rights are those of sql/roles.sql; whole or not at all.
load_database() {
  local dump="$VEIL_VAR/restore/$1.dump"
  superuser_sql postgres <<< "DROP DATABASE IF EXISTS $1 WITH (FORCE)"
  apply_roles "$VEIL_VAR/secrets"
  (cd / && as_user postgres pg_restore -h "$VEIL_VAR/postgres/run/socket" -p "$DB_PORT" --dbname="$1" \
    --exit-on-error --single-transaction) < "$dump" || fail "The database $1 could not be loaded, see above"
  rm "$dump"
}

# ejabberd does not run yet: nobody else is in its directory.
load_uploads() {
  local uploads="$VEIL_VAR/restore/upload" user
  user=$(service_user ejabberd)
  [ -d "$uploads" ] || return 0
  chown -Rh "$user:" "$uploads"
  chmod -R u=rwX,go= "$uploads"
  rm -rf "$VEIL_VAR/ejabberd/run/upload"
  mv "$uploads" "$VEIL_VAR/ejabberd/run/upload"
}
