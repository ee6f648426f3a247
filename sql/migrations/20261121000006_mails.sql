-- migrate:up
-- Mails that are to be sent, and for an hour those that were, so that nobody's mailbox is flooded. A code that a mail
-- carries is made when it is sent and stands nowhere here. A mail without an account is a wish to reset a password:
-- `recipient` is then what somebody typed, and whether it names anybody is found out when it is its turn.
CREATE TABLE mails (
  id          uuid PRIMARY KEY,
  kind        text NOT NULL CHECK (kind IN ('reset_password', 'verify_email', 'email_changed', 'password_changed')),
  account_id  uuid REFERENCES accounts (id) ON DELETE CASCADE,
  recipient   text NOT NULL CHECK (length(recipient) <= 300),
  attempts    integer NOT NULL DEFAULT 0,
  next_try_at timestamptz NOT NULL,
  expires_at  timestamptz NOT NULL,
  sent_at     timestamptz
);

CREATE INDEX mails_waiting ON mails (next_try_at) WHERE sent_at IS NULL;
CREATE INDEX mails_account ON mails (account_id, kind);
CREATE INDEX mails_recipient ON mails (recipient, kind) WHERE sent_at IS NOT NULL;
CREATE INDEX mails_expiry ON mails (expires_at);

GRANT SELECT, INSERT, UPDATE, DELETE ON mails TO veil_api;

-- migrate:down
-- Migrations go forward only: a mistake is mended by the next one.
