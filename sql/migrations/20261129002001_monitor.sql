-- migrate:up
-- Which process looks after the servers: one of all API processes, as long as it renews this.
CREATE TABLE monitor_lease (
  one        boolean PRIMARY KEY DEFAULT true CHECK (one),
  holder     uuid NOT NULL,
  expires_at timestamptz NOT NULL
);

-- How each thing that is looked at was found last, and what of it the operator was told, so that the next holder goes on.
CREATE TABLE alerts (
  subject    text PRIMARY KEY,
  severity   text NOT NULL CHECK (severity IN ('ok', 'warning', 'fault')),
  detail     text NOT NULL,
  since      timestamptz NOT NULL,
  told       text NOT NULL CHECK (told IN ('ok', 'warning', 'fault')),
  alarmed_at timestamptz
);

GRANT SELECT, INSERT, UPDATE, DELETE ON monitor_lease, alerts TO veil_api;

-- migrate:down
-- Migrations go forward only: a mistake is mended by the next one.
