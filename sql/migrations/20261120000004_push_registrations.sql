-- migrate:up
-- Where an account's devices are woken: one row for each device, replaced when it registers again.
CREATE TABLE push_registrations (
  jid           text NOT NULL,
  device_uuid   text NOT NULL,
  account_id    uuid NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  platform      text NOT NULL CHECK (platform IN ('ios', 'android')),
  push_token    text NOT NULL,
  app_id        text NOT NULL,
  registered_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (jid, device_uuid)
);

CREATE INDEX push_registrations_account ON push_registrations (account_id);

GRANT SELECT, INSERT, UPDATE, DELETE ON push_registrations TO veil_api;

-- migrate:down
-- Migrations go forward only: a mistake is mended by the next one.
