-- migrate:up
-- Who made a group, for the limit on how many an account makes; forgotten with the account. Of those that are there already it
-- is whoever has owned them for longest.
ALTER TABLE groups ADD COLUMN created_by uuid REFERENCES accounts (id) ON DELETE SET NULL;

UPDATE groups g SET created_by = (
  SELECT m.account_id FROM group_members m WHERE m.group_id = g.id AND m.role = 'owner'
  ORDER BY m.joined_at, m.account_id LIMIT 1);

CREATE INDEX groups_created_by ON groups (created_by);

-- migrate:down
-- Migrations go forward only: a mistake is mended by the next one.
