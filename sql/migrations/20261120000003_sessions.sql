-- migrate:up
-- A login. Access tokens name their session: without its row, or once it is revoked, they open nothing.
CREATE TABLE sessions (
  id         uuid PRIMARY KEY,
  account_id uuid NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  revoked_at timestamptz
);

CREATE INDEX sessions_account ON sessions (account_id);
CREATE INDEX sessions_expiry ON sessions (expires_at);

GRANT SELECT, INSERT, UPDATE, DELETE ON sessions TO veil_api;

-- migrate:down
-- Migrations go forward only: a mistake is mended by the next one.
