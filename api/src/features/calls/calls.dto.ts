import { ApiProperty } from '@nestjs/swagger';
import { Choice, Objects, OptionalSeconds, Text } from '../../http/fields.js';
import {
  CALL_EVENTS,
  CALL_OUTCOMES,
  CALL_TYPES,
  type CallEventKind,
  type CallOutcome,
  type CallType,
} from './call-event.js';

const time = (description: string) => ApiProperty({ format: 'date-time', description });
const optionalTime = (description: string) =>
  ApiProperty({ type: String, format: 'date-time', nullable: true, description });
const optionalText = (description: string) => ApiProperty({ type: String, nullable: true, description });

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
  call_type!: CallType;

  @OptionalSeconds('When the INVITE came')
  at?: string;

  @OptionalSeconds('When this was sent, by the same clock')
  sent_at?: string;
}

const NOTIFY_STATUSES = ['accepted', 'not_configured', 'no_registrations', 'repeated', 'limited'] as const;

export class CallNotifyAnswer {
  @ApiProperty({
    enum: NOTIFY_STATUSES,
    description:
      'accepted: devices are being pushed, or the call is over already; not_configured: there are devices, and the operator ' +
      'has set up the provider of none, so none is pushed; no_registrations: there is none, or no such callee; ' +
      'repeated: this call is known; limited: too many calls of this caller, or for this callee, so none is pushed',
  })
  status!: (typeof NOTIFY_STATUSES)[number];

  @ApiProperty({ description: 'Devices that pushes are on their way to: those whose provider the operator has set up' })
  sent!: number;

  @ApiProperty({ description: 'Devices of the callee that are registered for push' })
  registrations!: number;
}

export class CallEventsRequest {
  @Objects(1000, 'What has happened; an event that can’t be read is ignored')
  events!: unknown[];

  @OptionalSeconds('When this was sent, by the clock of the events')
  sent_at?: string;
}

export class CallEventsAnswer {
  @ApiProperty({ enum: ['accepted'] })
  status!: 'accepted';

  @ApiProperty({ description: 'Events that were not known yet' })
  recorded!: number;

  @ApiProperty({ description: 'What was no event, or one of a call of nobody here' })
  ignored!: number;
}

export class CallDocument {
  @ApiProperty({ format: 'uuid', description: 'What `before` takes' })
  id!: string;

  @ApiProperty({ description: 'Call-ID of the INVITE, and of the push' })
  call_id!: string;

  @ApiProperty({ enum: ['incoming', 'outgoing'] })
  direction!: 'incoming' | 'outgoing';

  @optionalText('Username of the other party; null: that account is gone')
  peer!: string | null;

  @ApiProperty({ enum: CALL_TYPES })
  type!: CallType;

  @time('When the call began')
  started_at!: Date;

  @optionalTime('When it was answered')
  answered_at!: Date | null;

  @optionalTime('When it was over')
  ended_at!: Date | null;

  @ApiProperty({ type: String, enum: CALL_OUTCOMES, nullable: true, description: 'Null: it rings' })
  outcome!: CallOutcome | null;

  @ApiProperty({ type: Number, nullable: true, description: 'How long they spoke, in seconds' })
  duration_seconds!: number | null;
}

export class CallsAnswer {
  @ApiProperty({ type: [CallDocument], description: 'The newest first' })
  calls!: CallDocument[];

  @optionalText('`before` of the next page; null: this was the last')
  next!: string | null;
}

export class CallEventDocument {
  @ApiProperty({ description: 'Since the call began, in milliseconds' })
  ms!: number;

  @ApiProperty({ enum: CALL_EVENTS })
  kind!: CallEventKind;

  @time('When it happened')
  at!: Date;

  @optionalText('The device, as it is registered for push; null: it is not known, or none')
  device_id!: string | null;

  @optionalText('Who pushes')
  provider!: string | null;

  @optionalText('What became of a push, or of the call')
  result!: string | null;

  @optionalText('In words')
  detail!: string | null;

  @ApiProperty({ type: Number, nullable: true, description: 'What the caller was told (SIP status)' })
  status!: number | null;
}

export class CallTraceAnswer {
  @ApiProperty({ type: CallDocument })
  call!: CallDocument;

  @ApiProperty({ type: [CallEventDocument], description: 'In their order; a caller sees what his phone was told' })
  events!: CallEventDocument[];
}
