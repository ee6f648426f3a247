import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { buildMessage, IsOptional, ValidateBy } from 'class-validator';
import type { WireId } from '../../common/device-id.js';
import { DeviceId, deviceIdProperty, Text, Whole } from '../../http/fields.js';
import { isProse, MOST, SIM_SLOTS } from './relay-frame.js';

const Sim = () => Whole(SIM_SLOTS.min, SIM_SLOTS.max, 'Which SIM card of the phone');
const Dialled = () =>
  Text({ max: MOST.number, description: 'The number, as it would be dialled', example: '+886912345678' });
const ReqId = (): PropertyDecorator =>
  applyDecorators(
    IsOptional(),
    Text({
      max: MOST.reqId,
      optional: true,
      description: 'By which its answer is known. The same once more is the same command; made up when there is none',
    }),
  );

const Prose = (most: number, description: string): PropertyDecorator =>
  applyDecorators(
    ValidateBy({
      name: 'isProse',
      validator: {
        validate: (value) => isProse(value, most),
        defaultMessage: buildMessage(() => `must be text of 1 to ${most} characters`),
      },
    }),
    ApiProperty({ description, minLength: 1, maxLength: most, example: 'See you at eight' }),
  );

const HOST = 'The host, one of your own devices';

export class SendSmsRequest {
  @DeviceId(HOST)
  to_device_id!: WireId;

  @Sim()
  sim!: number;

  @Dialled()
  to!: string;

  @Prose(MOST.text, 'The text message')
  body!: string;

  @ReqId()
  req_id?: string;
}

export class CallRequest {
  @DeviceId(HOST)
  to_device_id!: WireId;

  @Sim()
  sim!: number;

  @Dialled()
  to!: string;

  @ReqId()
  req_id?: string;
}

const COMMAND_STATUSES = ['sent', 'queued'] as const;

export class CommandAnswer {
  @ApiProperty({
    enum: COMMAND_STATUSES,
    description:
      'sent: the host is connected, and answers over the socket; queued: it gets the command when it comes, if that is in time',
  })
  status!: (typeof COMMAND_STATUSES)[number];

  @ApiProperty({ description: 'Stands in the answer of the host' })
  req_id!: string;
}

export class HistoryItem {
  @ApiProperty({ example: 1042 })
  id!: number;

  @ApiProperty(deviceIdProperty('Who has sent it'))
  from_device_id!: WireId;

  @ApiProperty(deviceIdProperty('Whom it was for'))
  to_device_id!: WireId;

  @ApiProperty({ enum: ['command', 'event'] })
  msg_type!: 'command' | 'event';

  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    nullable: true,
    description: 'The frame; null: it was sealed with a secret that this server does not have any more',
  })
  payload!: object | null;

  @ApiProperty({ format: 'date-time' })
  created_at!: string;
}

export class HistoryAnswer {
  @ApiProperty({ type: [HistoryItem] })
  items!: HistoryItem[];

  @ApiProperty({ description: 'How many there are altogether' })
  total!: number;

  @ApiProperty()
  offset!: number;

  @ApiProperty()
  limit!: number;
}
