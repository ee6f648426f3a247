import { ApiProperty } from '@nestjs/swagger';
import { Choice, Text } from '../../http/fields.js';

export const PUSH_PLATFORMS = ['ios', 'android'] as const;
export type PushPlatform = (typeof PUSH_PLATFORMS)[number];

const CALL_TYPES = ['audio', 'video'] as const;

export class RegisterPushRequest {
  @Text({ max: 300, description: "The caller's own JID", example: 'alice@localhost' })
  jid!: string;

  @Text({ max: 128, description: 'The device, as its app names it', example: '6f1c0a52-…' })
  device_id!: string;

  @Choice(PUSH_PLATFORMS, 'Who delivers: APNs or FCM')
  platform!: PushPlatform;

  @Text({ max: 4096, secret: true, description: 'The token that the platform gave to the app' })
  push_token!: string;

  @Text({ max: 255, description: 'Bundle id or package name', example: 'com.example.veil' })
  app_id!: string;
}

export class DeregisterPushRequest {
  @Text({ max: 300, description: "The caller's own JID", example: 'alice@localhost' })
  jid!: string;

  @Text({ max: 128, description: 'The device, as its app names it' })
  device_id!: string;
}

export class RegisterPushAnswer {
  @ApiProperty({ enum: ['registered'] })
  status!: 'registered';
}

export class DeregisterPushAnswer {
  @ApiProperty({ enum: ['deregistered'] })
  status!: 'deregistered';
}

export class CallNotifyRequest {
  @Text({ max: 128, description: 'Who is called', example: 'bob' })
  callee_username!: string;

  @Text({ max: 128, description: 'Who calls', example: 'alice' })
  caller_username!: string;

  @Text({ min: 0, max: 2048, optional: true, description: 'The name that the caller gives himself' })
  caller_display_name?: string;

  @Text({ max: 512, description: 'Call-ID of the INVITE' })
  call_id!: string;

  @Choice(CALL_TYPES, 'What the caller offers')
  call_type!: (typeof CALL_TYPES)[number];
}

export class CallNotifyAnswer {
  @ApiProperty({ enum: ['sent', 'no_registrations', 'no_provider'], description: 'What was done' })
  status!: 'sent' | 'no_registrations' | 'no_provider';

  @ApiProperty({ description: 'Pushes that a provider accepted' })
  sent!: number;

  @ApiProperty({ description: 'Devices of the callee that are registered for push' })
  registrations!: number;
}
