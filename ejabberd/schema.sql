-- What Veil adds to the tables of ejabberd's own schema. Run after it, as role ejabberd, as often as one likes.

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
