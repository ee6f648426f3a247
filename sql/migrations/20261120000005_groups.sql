-- migrate:up
-- The truth about groups and their members; the chat server's rooms follow it. Who changes a group holds its lease
-- (change_id, change_until) while the room and these tables may differ; a lease that ran out marks a room that has to
-- be brought back to what stands here. checked_at is when the room was last compared with what stands here: members with
-- rights in the room can change it by XMPP.
CREATE TABLE groups (
  id           uuid PRIMARY KEY,
  name         text NOT NULL,
  status       text NOT NULL CHECK (status IN ('pending', 'active', 'deleting')),
  change_id    uuid,
  change_until timestamptz,
  checked_at   timestamptz NOT NULL DEFAULT now(),
  created_at   timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX groups_unfinished ON groups (change_until) WHERE change_id IS NOT NULL;
CREATE INDEX groups_unchecked ON groups (checked_at) WHERE change_id IS NULL;

CREATE TABLE group_members (
  group_id   uuid NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
  account_id uuid NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  role       text NOT NULL CHECK (role IN ('owner', 'admin', 'member')),
  joined_at  timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (group_id, account_id)
);

CREATE INDEX group_members_account ON group_members (account_id);

GRANT SELECT, INSERT, UPDATE, DELETE ON groups, group_members TO veil_api;

-- migrate:down
-- Migrations go forward only: a mistake is mended by the next one.
