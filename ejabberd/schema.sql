-- What Veil adds to the tables of ejabberd's own schema. Run after it by psql, as role ejabberd, as often as one likes.
-- The variable `domain` is the one that is served.

-- ejabberd 23.01 keeps the role of everybody who ever belonged to a room and offers no way to forget one: the name of
-- a deleted account would stay in the rooms of others for good. The list serves moderated rooms only, and ours are not
-- (see ejabberd.yml), so it is not stored. Account names hold no quotes: nothing in a room's title or description can
-- look like the list to this pattern.
CREATE OR REPLACE FUNCTION forget_room_roles() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.opts := regexp_replace(
    NEW.opts, '\{roles,\[(\{\{<<"[a-z0-9_.-]+">>,<<"[a-z0-9.:-]+">>,<<>>\},[a-z]+\},?)+\]\}', '{roles,[]}');
  RETURN NEW;
END $$;

CREATE OR REPLACE TRIGGER forget_room_roles BEFORE INSERT OR UPDATE ON muc_room
  FOR EACH ROW EXECUTE FUNCTION forget_room_roles();

-- The list of suspended accounts, of which ejabberd.yml has an access rule. It must be there before anybody logs in:
-- ejabberd 23.01 breaks off every login when it is asked for a group that does not exist.
INSERT INTO sr_group (name, server_host, opts) VALUES ('suspended', :'domain', '[]') ON CONFLICT DO NOTHING;

-- ejabberd removes what an account published, but for items at nodes of others where everybody may publish: they would
-- be those of whoever has the name next.
CREATE INDEX IF NOT EXISTS pubsub_item_by ON pubsub_item (split_part(publisher, '/', 1));

CREATE OR REPLACE FUNCTION forget_published_items() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM pubsub_item WHERE split_part(publisher, '/', 1) = OLD.username || '@' || OLD.server_host;
  RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER forget_published_items AFTER DELETE ON users
  FOR EACH ROW EXECUTE FUNCTION forget_published_items();
