-- Roles and databases: one role per service with what it needs and no more. Run by the superuser, as often as one
-- likes; passwords come from the environment, so that no command line and no log holds them. Tables, and the rights
-- to them, are made by the migrations, which run as veil_migrate and create everything as veil_owner.
\set ON_ERROR_STOP on
\getenv api_password DB_PASSWORD
\getenv migrate_password DB_MIGRATE_PASSWORD
\getenv ejabberd_password DB_EJABBERD_PASSWORD
\getenv kamailio_password DB_KAMAILIO_PASSWORD

SELECT format('CREATE ROLE %I NOLOGIN', wanted)
  FROM unnest(ARRAY['veil_owner', 'veil_migrate', 'veil_api', 'ejabberd', 'kamailio']) AS wanted
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) \gexec

ALTER ROLE veil_migrate LOGIN PASSWORD :'migrate_password' CONNECTION LIMIT 10;
ALTER ROLE veil_api LOGIN PASSWORD :'api_password' CONNECTION LIMIT 60;
ALTER ROLE ejabberd LOGIN PASSWORD :'ejabberd_password' CONNECTION LIMIT 40;
ALTER ROLE kamailio LOGIN PASSWORD :'kamailio_password' CONNECTION LIMIT 80;

-- What a migration creates belongs to veil_owner, who can't log in.
GRANT veil_owner TO veil_migrate;
ALTER ROLE veil_migrate SET role = 'veil_owner';

ALTER ROLE veil_api SET statement_timeout = '15s';
ALTER ROLE veil_api SET lock_timeout = '5s';
ALTER ROLE veil_api SET idle_in_transaction_session_timeout = '30s';
ALTER ROLE kamailio SET search_path = 'kamailio';
ALTER ROLE kamailio SET statement_timeout = '5s';
ALTER ROLE ejabberd SET idle_in_transaction_session_timeout = '60s';

SELECT format('CREATE DATABASE %I OWNER %I', name, owner)
  FROM (VALUES ('veil', 'veil_owner'), ('ejabberd', 'ejabberd')) AS wanted (name, owner)
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = name) \gexec

REVOKE ALL ON DATABASE veil, ejabberd, postgres FROM PUBLIC;
GRANT CONNECT ON DATABASE veil TO veil_migrate, veil_api, kamailio;
GRANT CONNECT ON DATABASE ejabberd TO ejabberd;

\connect veil
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO veil_api;

\connect ejabberd
REVOKE ALL ON SCHEMA public FROM PUBLIC;
