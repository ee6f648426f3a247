-- migrate:up
-- Calls, one row for both parties, and without names, which are those of the accounts as long as there are such: only one
-- that nobody has stands here. A Call-ID is its caller's choice, and unique to him.
CREATE TABLE calls (
  id                uuid PRIMARY KEY,
  call_id           text NOT NULL CHECK (length(call_id) <= 512),
  caller_account_id uuid REFERENCES accounts (id) ON DELETE SET NULL,
  callee_account_id uuid REFERENCES accounts (id) ON DELETE SET NULL,
  unknown_name      text CHECK (length(unknown_name) <= 256),
  call_type         text NOT NULL CHECK (call_type IN ('audio', 'video')),
  -- When it began by Kamailio's clock, as all times of events are, and by the API's.
  started_at        timestamptz NOT NULL,
  known_at          timestamptz NOT NULL,
  -- Null while it rings. An answered call has ended when it has an end.
  outcome           text CHECK (outcome IN ('answered', 'missed', 'cancelled', 'declined', 'busy', 'failed', 'unknown')),
  answered_at       timestamptz,
  ended_at          timestamptz,
  -- When the callee's devices were to be pushed; when it was known what became of it; when they were told of the end.
  notified_at       timestamptz,
  pushed_at         timestamptz,
  end_told_at       timestamptz,
  UNIQUE (caller_account_id, call_id)
);

-- Whoever tells of calls may do so in names that nobody has.
CREATE UNIQUE INDEX calls_of_strangers ON calls (callee_account_id, call_id) WHERE unknown_name IS NOT NULL;
CREATE INDEX calls_call_id ON calls (call_id);
CREATE INDEX calls_caller ON calls (caller_account_id, started_at DESC, id DESC);
CREATE INDEX calls_callee ON calls (callee_account_id, started_at DESC, id DESC);
CREATE INDEX calls_known ON calls (known_at);
CREATE INDEX calls_ringing ON calls (known_at) WHERE outcome IS NULL;
CREATE INDEX calls_of_nobody ON calls (id) WHERE caller_account_id IS NULL AND callee_account_id IS NULL;

-- The trace of a call. What concerns the callee's devices is the callee's alone, and goes with his account.
CREATE TABLE call_events (
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  call        uuid NOT NULL REFERENCES calls (id) ON DELETE CASCADE,
  account_id  uuid REFERENCES accounts (id) ON DELETE CASCADE,
  kind        text NOT NULL CHECK (kind IN (
    'invite', 'held', 'push', 'push_limited', 'registered', 'invited', 'ringing', 'answered', 'ended', 'hung_up', 'end_push')),
  -- The id under which the device is registered for push, where it is known; of a contact, how Kamailio names it.
  device_id   text,
  contact     text NOT NULL DEFAULT '',
  provider    text,
  result      text,
  detail      text,
  status      integer,
  at          timestamptz NOT NULL,
  received_at timestamptz NOT NULL
);

-- What comes again is known: a time has microseconds.
CREATE UNIQUE INDEX call_events_once ON call_events (call, kind, contact, at) WHERE kind NOT IN ('push', 'push_limited', 'end_push');
CREATE INDEX call_events_call ON call_events (call, at);
CREATE INDEX call_events_account ON call_events (account_id);

GRANT SELECT, INSERT, UPDATE, DELETE ON calls, call_events TO veil_api;

-- migrate:down
-- Migrations go forward only: a mistake is mended by the next one.
