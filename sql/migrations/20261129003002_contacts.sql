-- migrate:up
-- Who lets whose devices reach the own ones. Contacts are two accounts that both do.
CREATE TABLE contacts (
  account_id uuid NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  contact_id uuid NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  since      timestamptz NOT NULL,
  PRIMARY KEY (account_id, contact_id),
  CHECK (account_id <> contact_id)
);

CREATE INDEX contacts_contact ON contacts (contact_id);

GRANT SELECT, INSERT, UPDATE, DELETE ON contacts TO veil_api;

-- migrate:down
-- Migrations go forward only: a mistake is mended by the next one.
