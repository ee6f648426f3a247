-- migrate:up
-- Clients of the relay and of the signalling server read `user_id` as a 32-bit integer. Accounts keep their uuid inside.
ALTER TABLE accounts ADD number integer GENERATED ALWAYS AS IDENTITY CONSTRAINT accounts_number_key UNIQUE;

-- migrate:down
-- Migrations go forward only: a mistake is mended by the next one.
