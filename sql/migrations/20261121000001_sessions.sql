-- migrate:up
-- A session is a family of refresh tokens on one device: it holds the hash of the newest, and ends by going. device_id is
-- the client's own, or the session's id: the XMPP resource and the SIP instance of whatever belongs to the session.
-- expires_at is when the newest refresh token does.
ALTER TABLE sessions
  ADD COLUMN refresh_hash     bytea,
  ADD COLUMN used_at          timestamptz NOT NULL DEFAULT now(),
  ADD COLUMN authenticated_at timestamptz NOT NULL DEFAULT now(),
  ADD COLUMN device_id        text,
  ADD COLUMN device_name      text,
  DROP COLUMN revoked_at;
UPDATE sessions SET device_id = id::text;
ALTER TABLE sessions ALTER COLUMN device_id SET NOT NULL;

DROP INDEX sessions_account;
CREATE INDEX sessions_account_device ON sessions (account_id, device_id);

-- Refresh tokens that were exchanged: one that comes again was copied, unless it is the retry of a lost answer. The salt
-- makes the same successor again, to whoever holds the token.
CREATE TABLE used_refresh_tokens (
  token_hash bytea PRIMARY KEY,
  session_id uuid NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
  salt       bytea NOT NULL,
  used_at    timestamptz NOT NULL
);

CREATE INDEX used_refresh_tokens_session ON used_refresh_tokens (session_id);
CREATE INDEX used_refresh_tokens_age ON used_refresh_tokens (used_at);

-- Streams, registrations and pushes that have to end because their sessions did: those of device_id, or all but those
-- of kept_device_id. due_at is when somebody takes it up next.
CREATE TABLE session_endings (
  id             uuid PRIMARY KEY,
  account_id     uuid NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  device_id      text,
  kept_device_id text,
  due_at         timestamptz NOT NULL
);

CREATE INDEX session_endings_account ON session_endings (account_id);
CREATE INDEX session_endings_due ON session_endings (due_at);

-- Without has_password nobody knows the password that the chat server has. A session that was asked for before
-- password_changed_at is not opened after it.
ALTER TABLE accounts
  ADD COLUMN has_password        boolean NOT NULL DEFAULT true,
  ADD COLUMN password_changed_at timestamptz;

-- A change of password that is under way: the chat server may have either one. The new one is sealed with a key that
-- the database does not hold, so that whoever takes the change over can finish it.
CREATE TABLE password_changes (
  account_id      uuid PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
  id              uuid NOT NULL,
  sealed_password bytea NOT NULL,
  kept_session_id uuid,
  lease_until     timestamptz NOT NULL
);

CREATE INDEX password_changes_lease ON password_changes (lease_until);

GRANT SELECT, INSERT, UPDATE, DELETE ON used_refresh_tokens, session_endings, password_changes TO veil_api;

-- migrate:down
-- Migrations go forward only: a mistake is mended by the next one.
