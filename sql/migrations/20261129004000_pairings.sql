-- migrate:up
-- Which client may command which host, and the codes by which they are paired: one of a host, kept as HMAC, so that a copy
-- of the table opens nothing. Apps of the field read the number of a pairing as 32 bits.
CREATE TABLE pairings (
  id               integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  account_id       uuid NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  host_device_id   text NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
  client_device_id text NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
  created_at       timestamptz NOT NULL,
  UNIQUE (host_device_id, client_device_id)
);

CREATE INDEX pairings_client ON pairings (client_device_id);
CREATE INDEX pairings_account ON pairings (account_id);

CREATE TABLE pairing_codes (
  host_device_id text PRIMARY KEY REFERENCES devices (id) ON DELETE CASCADE,
  account_id     uuid NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  code_hash      bytea NOT NULL,
  wrong_tries    smallint NOT NULL DEFAULT 0,
  expires_at     timestamptz NOT NULL,
  CONSTRAINT pairing_codes_unambiguous UNIQUE (account_id, code_hash)
);

CREATE INDEX pairing_codes_expiry ON pairing_codes (expires_at);

GRANT SELECT, INSERT, UPDATE, DELETE ON pairings, pairing_codes TO veil_api;

-- migrate:down
-- Migrations go forward only: a mistake is mended by the next one.
