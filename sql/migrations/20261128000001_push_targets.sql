-- migrate:up
-- What it takes to reach a device besides its token: of iOS a second token, for what must not ring, and the service that
-- both are good for; of Web Push and UnifiedPush, whose token is the address of an endpoint, the keys of the subscription.
ALTER TABLE push_registrations
  ADD COLUMN alert_token text,
  ADD COLUMN environment text NOT NULL DEFAULT 'production' CHECK (environment IN ('production', 'sandbox')),
  ADD COLUMN p256dh text,
  ADD COLUMN auth text,
  DROP CONSTRAINT push_registrations_platform_check,
  ADD CONSTRAINT push_registrations_platform_check CHECK (platform IN ('ios', 'android', 'web')),
  ADD CONSTRAINT push_registrations_keys_check
    CHECK ((platform = 'web') = (p256dh IS NOT NULL) AND (platform = 'web') = (auth IS NOT NULL));

-- migrate:down
-- Migrations go forward only: a mistake is mended by the next one.
