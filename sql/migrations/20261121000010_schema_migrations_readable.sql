-- migrate:up
-- The doctor compares what has run with what there is to run. dbmate makes this table before the first migration.
GRANT SELECT ON schema_migrations TO veil_api;

-- migrate:down
-- Migrations go forward only: a mistake is mended by the next one.
