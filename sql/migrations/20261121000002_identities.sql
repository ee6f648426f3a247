-- migrate:up
-- Other ways in than the username: an e-mail address, in its normal form (common/email.ts), and a Google account, by its
-- `sub`. Within a domain each belongs to one account. Without email_verified_at an address is a login name and no more.
ALTER TABLE accounts
  ADD COLUMN email             text CHECK (length(email) <= 254),
  ADD COLUMN email_verified_at timestamptz,
  ADD COLUMN google_sub        text CHECK (length(google_sub) <= 255),
  ADD CONSTRAINT accounts_email_domain_key UNIQUE (email, domain),
  ADD CONSTRAINT accounts_google_sub_domain_key UNIQUE (google_sub, domain),
  ADD CONSTRAINT accounts_verified_email CHECK (email_verified_at IS NULL OR email IS NOT NULL);

-- Codes that prove something once. Only their SHA-256 is kept; a newer one replaces the one before it. `email` is the
-- address that whoever knows the code can read.
CREATE TABLE account_codes (
  account_id uuid NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  purpose    text NOT NULL CHECK (purpose IN ('reset_password', 'verify_email')),
  code_hash  bytea NOT NULL CONSTRAINT account_codes_hash_key UNIQUE,
  email      text,
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (account_id, purpose)
);

CREATE INDEX account_codes_expiry ON account_codes (expires_at);

GRANT SELECT, INSERT, UPDATE, DELETE ON account_codes TO veil_api;

-- migrate:down
-- Migrations go forward only: a mistake is mended by the next one.
