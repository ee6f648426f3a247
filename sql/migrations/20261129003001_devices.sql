-- migrate:up
-- Every device of an account: for the relay, for signalling, and for whatever else is told by device. An id is the client's
-- choice, and then unique to all accounts, or the next number. A key counts once its holder has proved it.
CREATE TABLE devices (
  id            text PRIMARY KEY CHECK (id ~ '^[A-Za-z0-9_.:-]{1,128}$'),
  account_id    uuid NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  name          text CHECK (length(name) <= 128),
  kind          text NOT NULL CHECK (kind IN ('host', 'client', 'mobile', 'desktop', 'web')),
  public_key    text CHECK (length(public_key) <= 1024),
  key_proven_at timestamptz,
  created_at    timestamptz NOT NULL,
  last_seen_at  timestamptz,
  CHECK (key_proven_at IS NULL OR public_key IS NOT NULL)
);

CREATE INDEX devices_account ON devices (account_id, created_at);
CREATE SEQUENCE device_numbers;

-- What a device has to sign to prove its key: once, and within two minutes.
CREATE TABLE device_challenges (
  account_id uuid NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  device_id  text NOT NULL CHECK (length(device_id) <= 128),
  challenge  bytea NOT NULL,
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (account_id, device_id)
);

CREATE INDEX device_challenges_expiry ON device_challenges (expires_at);

GRANT SELECT, INSERT, UPDATE, DELETE ON devices, device_challenges TO veil_api;
GRANT USAGE ON SEQUENCE device_numbers TO veil_api;

-- migrate:down
-- Migrations go forward only: a mistake is mended by the next one.
