-- migrate:up
-- Under which name the chat server pushes to a device (XEP-0357): random, so that it tells nobody whose it is, and the
-- same for as long as the device is registered. A node without a device is dead: the chat server is to be told, and the
-- row goes. The secret that belongs to a node is derived from it, and stands nowhere.
CREATE TABLE push_nodes (
  node        text PRIMARY KEY,
  account_id  uuid NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  jid         text NOT NULL,
  device_uuid text,
  UNIQUE (jid, device_uuid),
  FOREIGN KEY (jid, device_uuid) REFERENCES push_registrations (jid, device_uuid) ON DELETE SET NULL (device_uuid)
);

CREATE INDEX push_nodes_account ON push_nodes (account_id);
CREATE INDEX push_nodes_dead ON push_nodes (node) WHERE device_uuid IS NULL;

GRANT SELECT, INSERT, UPDATE, DELETE ON push_nodes TO veil_api;

-- migrate:down
-- Migrations go forward only: a mistake is mended by the next one.
