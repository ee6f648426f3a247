import { ApiProperty } from '@nestjs/swagger';
import { PUSH_ENVIRONMENTS, PUSH_PROVIDERS, type PushEnvironment } from '../../clients/push/push-client.js';
import { Choice, Text } from '../../http/fields.js';

import { PUSH_RESULTS, type PushResult } from './push-notification.js';

export const PUSH_PLATFORMS = ['ios', 'android', 'web'] as const;
export type PushPlatform = (typeof PUSH_PLATFORMS)[number];

export class RegisterPushRequest {
  @Text({ max: 300, description: "The caller's own JID", example: 'alice@localhost' })
  jid!: string;

  @Text({ max: 128, description: 'The device, as its app names it', example: '6f1c0a52-…' })
  device_id!: string;

  @Choice(PUSH_PLATFORMS, 'Who delivers: APNs, FCM, or the service of a browser or UnifiedPush distributor')
  platform!: PushPlatform;

  @Text({
    max: 4096,
    secret: true,
    description: 'The token that the platform gave to the app: of iOS the VoIP token, of web the endpoint (https)',
  })
  push_token!: string;

  @Text({ max: 255, description: 'Bundle id or package name', example: 'com.example.veil' })
  app_id!: string;

  @Text({
    max: 4096,
    optional: true,
    secret: true,
    description: 'ios: the token for alerts, for all that must not ring',
  })
  alert_token?: string;

  @Choice(PUSH_ENVIRONMENTS, 'ios: which APNs gave the tokens; production unless it says otherwise', 'optional')
  environment?: PushEnvironment;

  @Text({ max: 128, optional: true, description: 'web: the key `p256dh` of the subscription, base64url' })
  p256dh?: string;

  @Text({ max: 64, optional: true, secret: true, description: 'web: the key `auth` of the subscription, base64url' })
  auth?: string;
}

export class DeregisterPushRequest {
  @Text({ max: 300, description: "The caller's own JID", example: 'alice@localhost' })
  jid!: string;

  @Text({ max: 128, description: 'The device, as its app names it' })
  device_id!: string;
}

export class XmppPush {
  @ApiProperty({ description: 'The push service', example: 'push.localhost' })
  jid!: string;

  @ApiProperty({ description: 'Names the device; the same for as long as it is registered' })
  node!: string;

  @ApiProperty({ description: 'Goes into the publish-options' })
  secret!: string;
}

export class RegisterPushAnswer {
  @ApiProperty({ enum: ['registered'] })
  status!: 'registered';

  @ApiProperty({
    type: XmppPush,
    nullable: true,
    description:
      'What the client enables push with on its XMPP stream (XEP-0357); null when the device was deregistered meanwhile',
  })
  xmpp_push!: XmppPush | null;
}

export class DeregisterPushAnswer {
  @ApiProperty({ enum: ['deregistered'] })
  status!: 'deregistered';
}

const SIP_ACTIONS = ['register', 'deregister'] as const;
const SIP_PROVIDERS = ['apns', 'apns.dev', 'fcm', 'webpush'] as const;

export class SipDeviceRequest {
  @Choice(SIP_ACTIONS, 'Whether the contact was registered, or removed')
  action!: (typeof SIP_ACTIONS)[number];

  @Text({ max: 128, description: 'Whose contact it is', example: 'alice' })
  username!: string;

  @Choice(SIP_PROVIDERS, '`pn-provider`')
  provider!: (typeof SIP_PROVIDERS)[number];

  @Text({ max: 255, secret: true, description: '`pn-param`, as it stands in the URI' })
  param!: string;

  @Text({ max: 4096, secret: true, description: '`pn-prid`, as it stands in the URI' })
  prid!: string;

  @Text({ max: 256, optional: true, description: '`+sip.instance`', example: '<urn:uuid:6f1c0a52-…>' })
  instance?: string;
}

export class SipDeviceAnswer {
  @ApiProperty({
    enum: ['registered', 'deregistered', 'ignored'],
    description: 'ignored: there is no such account, or it is not active',
  })
  status!: 'registered' | 'deregistered' | 'ignored';
}

const TEST_KINDS = ['call', 'message'] as const;

export class TestPushRequest {
  @Text({ max: 128, description: 'One of your own devices that are registered' })
  device_id!: string;

  @Choice(TEST_KINDS, 'Whether it shall ring, as for a call, or show a notification')
  kind!: (typeof TEST_KINDS)[number];
}

export class TestPushAnswer {
  @ApiProperty({ enum: PUSH_RESULTS, description: 'What became of it; `accepted`: the provider has taken it' })
  result!: PushResult;

  @ApiProperty({ enum: PUSH_PROVIDERS, description: 'Who delivers' })
  provider!: string;

  @ApiProperty({ description: 'What the provider said, and what to do about it', example: 'APNs took it' })
  detail!: string;

  @ApiProperty({ description: 'How long the provider took, in milliseconds' })
  took_ms!: number;
}
