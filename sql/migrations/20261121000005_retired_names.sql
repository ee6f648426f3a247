-- migrate:up
-- Names of deleted accounts, which nobody may take for a while. A name that is in here says that somebody was here: only
-- its keyed hash is kept, of use to nobody who has not the key as well.
CREATE TABLE retired_names (
  name_hash  bytea PRIMARY KEY,
  retired_at timestamptz NOT NULL
);

CREATE INDEX retired_names_age ON retired_names (retired_at);

GRANT SELECT, INSERT, UPDATE, DELETE ON retired_names TO veil_api;

-- migrate:down
-- Migrations go forward only: a mistake is mended by the next one.
