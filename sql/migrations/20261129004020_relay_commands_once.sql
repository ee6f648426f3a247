-- migrate:up
-- A command is the same when it comes again by another client of the account, or without a socket: the host does it once. Of
-- those that were kept twice the first stays, and a later one that still waits waits no more.
UPDATE relay_messages later SET
  req_id = NULL,
  expired_at = CASE WHEN later.acked_at IS NULL THEN coalesce(later.expired_at, now()) END
FROM relay_messages first
WHERE later.msg_type = 'command' AND first.msg_type = 'command' AND first.id < later.id
  AND (first.account_id, first.to_device_id, first.req_id) = (later.account_id, later.to_device_id, later.req_id);

DROP INDEX relay_messages_once;
CREATE UNIQUE INDEX relay_messages_once ON relay_messages (account_id, to_device_id, req_id) WHERE msg_type = 'command';

-- migrate:down
-- Migrations go forward only: a mistake is mended by the next one.
