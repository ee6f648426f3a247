-- migrate:up
-- Rooms that were destroyed, and are to be destroyed again a moment later: the chat server says that a room is gone also
-- when its database has not forgotten it, and may still carry out a creation that nobody waits for any more.
CREATE TABLE removed_rooms (
  group_id uuid PRIMARY KEY,
  due_at   timestamptz NOT NULL
);

CREATE INDEX removed_rooms_due ON removed_rooms (due_at);

GRANT SELECT, INSERT, UPDATE, DELETE ON removed_rooms TO veil_api;

-- migrate:down
-- Migrations go forward only: a mistake is mended by the next one.
