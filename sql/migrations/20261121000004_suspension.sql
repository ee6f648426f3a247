-- migrate:up
-- An account can be refused everywhere and let in again: `suspended`, and `resuming` until every server lets it in.
-- As with `pending` and `deleting`, lease_until says until when somebody works on it; null once nothing is left to do.
ALTER TABLE accounts
  DROP CONSTRAINT accounts_status_check,
  ADD CONSTRAINT accounts_status_check CHECK (status IN ('pending', 'active', 'suspended', 'resuming', 'deleting'));

-- migrate:down
-- Migrations go forward only: a mistake is mended by the next one.
