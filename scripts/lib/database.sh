# shellcheck shell=bash
# What the servers need in PostgreSQL before they start: roles, databases, tables. Done again whenever one of its
# sources changes, skipped otherwise. Needs ROOT, VEIL_VAR, the settings, log.sh, services.sh,
# ground.sh and node.sh.

EJABBERD_SCHEMA=/usr/share/ejabberd/sql/pg.new.sql

prepare_database() {
  local done_file="$VEIL_VAR/run/prepared" sources
  sources=$(database_sources)
  [ "$(cat "$done_file" 2> /dev/null)" != "$sources" ] || return 0
  apply_roles "$VEIL_VAR/secrets"
  create_ejabberd_tables
  migrate
  echo "$sources" > "$done_file"
}

database_sources() {
  {
    sha256sum "$ROOT/sql/roles.sql" "$ROOT/ejabberd/schema.sql" "$ROOT"/sql/migrations/*.sql "$VEIL_VAR"/secrets/db_*
    superuser_sql postgres <<< 'SELECT system_identifier FROM pg_control_system()'
    echo "$XMPP_DOMAIN"
  } | sha256sum | cut -d' ' -f1
}

# apply_roles SECRETS: passwords travel in the environment, which only the same user and root can read.
apply_roles() {
  local name
  (
    for name in DB_PASSWORD DB_MIGRATE_PASSWORD DB_EJABBERD_PASSWORD DB_KAMAILIO_PASSWORD; do
      export "$name=$(cat "$(secret_file "$1" "$name")")"
    done
    superuser_sql postgres < "$ROOT/sql/roles.sql" || fail 'sql/roles.sql failed, see above'
  )
}

# ejabberd's own tables once, and what we add to them.
create_ejabberd_tables() {
  local missing
  missing=$(superuser_sql ejabberd <<< "SELECT to_regclass('public.users') IS NULL")
  {
    echo 'SET ROLE ejabberd;'
    [ "$missing" = f ] || cat "$EJABBERD_SCHEMA"
    cat "$ROOT/ejabberd/schema.sql"
  } | superuser_sql ejabberd --single-transaction --set domain="$XMPP_DOMAIN" > /dev/null ||
    fail "$EJABBERD_SCHEMA could not be loaded, see above"
}

migrate() {
  DB_HOST=127.0.0.1 DB_MIGRATE_PASSWORD_FILE=$(secret_file "$VEIL_VAR/secrets" DB_MIGRATE_PASSWORD) \
    "$NODE" "$ROOT/api/dist/bundle/cli.js" migrate || fail 'The migrations failed, see above'
}

# superuser_sql DATABASE [OPTION...]: runs stdin, prints bare values.
superuser_sql() {
  local database=$1
  shift
  in_server postgres env PGOPTIONS='-c client_min_messages=warning' \
    psql -X -q -A -t -v ON_ERROR_STOP=1 -h "$(server_directory postgres)/socket" -p "$DB_PORT" -d "$database" "$@" -f -
}
