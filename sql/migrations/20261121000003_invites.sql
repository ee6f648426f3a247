-- migrate:up
-- Codes that let people register where registration is by invite. Only their SHA-256 is kept. `used` counts the
-- accounts that came of one, and the registrations under way.
CREATE TABLE invites (
  id         uuid PRIMARY KEY,
  code_hash  bytea NOT NULL CONSTRAINT invites_code_hash_key UNIQUE,
  uses       integer NOT NULL CHECK (uses > 0),
  used       integer NOT NULL DEFAULT 0,
  note       text CHECK (length(note) <= 200),
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  revoked_at timestamptz,
  CONSTRAINT invites_used CHECK (used BETWEEN 0 AND uses)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON invites TO veil_api;

-- The invite of a pending account, which gets its use back when the registration is undone; null once it is active.
ALTER TABLE accounts
  ADD COLUMN invite_id uuid REFERENCES invites (id),
  ADD CONSTRAINT accounts_invite_while_pending CHECK (invite_id IS NULL OR status = 'pending');

CREATE INDEX accounts_invite ON accounts (invite_id) WHERE invite_id IS NOT NULL;

-- migrate:down
-- Migrations go forward only: a mistake is mended by the next one.
