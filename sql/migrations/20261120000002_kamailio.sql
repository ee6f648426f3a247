-- migrate:up
-- Kamailio's own tables, as version 5.6 and 6.0 define them: the server checks the numbers in `version`
-- at start and refuses a table that has another one. The API writes `subscriber` and may end a
-- registration; Kamailio reads `subscriber` and owns what is in `location`.
CREATE SCHEMA kamailio;

CREATE TABLE kamailio.version (
  id            serial PRIMARY KEY,
  table_name    varchar(32) NOT NULL CONSTRAINT version_table_name_idx UNIQUE,
  table_version integer NOT NULL DEFAULT 0
);

INSERT INTO kamailio.version (table_name, table_version)
VALUES ('version', 1), ('subscriber', 7), ('location', 9), ('location_attrs', 1);

-- ha1 = MD5(username:domain:password), ha1b = MD5(username@domain:domain:password); `password` stays empty.
CREATE TABLE kamailio.subscriber (
  id       serial PRIMARY KEY,
  username varchar(64) NOT NULL DEFAULT '',
  domain   varchar(64) NOT NULL DEFAULT '',
  password varchar(64) NOT NULL DEFAULT '',
  ha1      varchar(128) NOT NULL DEFAULT '',
  ha1b     varchar(128) NOT NULL DEFAULT '',
  CONSTRAINT subscriber_account_idx UNIQUE (username, domain)
);

CREATE TABLE kamailio.location (
  id            serial PRIMARY KEY,
  ruid          varchar(64) NOT NULL DEFAULT '',
  username      varchar(64) NOT NULL DEFAULT '',
  domain        varchar(64),
  contact       varchar(512) NOT NULL DEFAULT '',
  received      varchar(128),
  path          varchar(512),
  expires       timestamp NOT NULL DEFAULT '2030-05-28 21:32:15',
  q             real NOT NULL DEFAULT 1.0,
  callid        varchar(255) NOT NULL DEFAULT 'Default-Call-ID',
  cseq          integer NOT NULL DEFAULT 1,
  last_modified timestamp NOT NULL DEFAULT '2000-01-01 00:00:01',
  flags         integer NOT NULL DEFAULT 0,
  cflags        integer NOT NULL DEFAULT 0,
  user_agent    varchar(255) NOT NULL DEFAULT '',
  socket        varchar(64),
  methods       integer,
  instance      varchar(255),
  reg_id        integer NOT NULL DEFAULT 0,
  server_id     integer NOT NULL DEFAULT 0,
  connection_id integer NOT NULL DEFAULT 0,
  keepalive     integer NOT NULL DEFAULT 0,
  partition     integer NOT NULL DEFAULT 0,
  CONSTRAINT location_ruid_idx UNIQUE (ruid)
);

CREATE INDEX location_account_contact_idx ON kamailio.location (username, domain, contact);
CREATE INDEX location_expires_idx ON kamailio.location (expires);
CREATE INDEX location_connection_idx ON kamailio.location (server_id, connection_id);

CREATE TABLE kamailio.location_attrs (
  id            serial PRIMARY KEY,
  ruid          varchar(64) NOT NULL DEFAULT '',
  username      varchar(64) NOT NULL DEFAULT '',
  domain        varchar(64),
  aname         varchar(64) NOT NULL DEFAULT '',
  atype         integer NOT NULL DEFAULT 0,
  avalue        varchar(512) NOT NULL DEFAULT '',
  last_modified timestamp NOT NULL DEFAULT '2000-01-01 00:00:01'
);

CREATE INDEX location_attrs_account_record_idx ON kamailio.location_attrs (username, domain, ruid);
CREATE INDEX location_attrs_last_modified_idx ON kamailio.location_attrs (last_modified);

GRANT USAGE ON SCHEMA kamailio TO kamailio, veil_api;

GRANT SELECT ON kamailio.version, kamailio.subscriber TO kamailio;
GRANT SELECT, INSERT, UPDATE, DELETE ON kamailio.location, kamailio.location_attrs TO kamailio;
GRANT USAGE ON SEQUENCE kamailio.location_id_seq, kamailio.location_attrs_id_seq TO kamailio;

GRANT SELECT, INSERT, UPDATE, DELETE ON kamailio.subscriber TO veil_api;
GRANT SELECT, DELETE ON kamailio.location TO veil_api;
GRANT USAGE ON SEQUENCE kamailio.subscriber_id_seq TO veil_api;

-- migrate:down
-- Migrations go forward only: a mistake is mended by the next one.
