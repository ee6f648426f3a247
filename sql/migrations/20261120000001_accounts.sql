-- migrate:up
-- One row for each account. A username is unique within its domain; status tells how far registration or deletion
-- has come, and lease_until until when somebody works on a row that is not active.
CREATE TABLE accounts (
  id          uuid PRIMARY KEY,
  username    text NOT NULL CHECK (username ~ '^[a-z0-9_]{3,32}$'),
  domain      text NOT NULL,
  status      text NOT NULL CHECK (status IN ('pending', 'active', 'deleting')),
  lease_until timestamptz,
  created_at  timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT accounts_username_domain_key UNIQUE (username, domain)
);

CREATE INDEX accounts_unfinished ON accounts (lease_until) WHERE status <> 'active';

GRANT SELECT, INSERT, UPDATE, DELETE ON accounts TO veil_api;

-- migrate:down
-- Migrations go forward only: a mistake is mended by the next one.
