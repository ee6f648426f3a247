import { ApiProperty } from '@nestjs/swagger';
import type { WireId } from '../../common/device-id.js';
import { deviceIdProperty } from '../../http/fields.js';
import { optionalTime, time } from './export-fields.js';

export class ExportedPairing {
  @ApiProperty()
  id!: number;

  @ApiProperty({ description: 'The device with the SIM cards' })
  host_device_id!: string;

  @ApiProperty({ description: 'The device that texts and calls through it' })
  client_device_id!: string;

  @time('When they were paired')
  created_at!: string;
}

export class ExportedRelayMessage {
  @ApiProperty()
  id!: number;

  @ApiProperty(deviceIdProperty('Who has sent it'))
  from_device_id!: WireId;

  @ApiProperty(deviceIdProperty('Whom it was for'))
  to_device_id!: WireId;

  @ApiProperty({ enum: ['command', 'event'] })
  msg_type!: string;

  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    nullable: true,
    description: 'The frame; null: it was sealed with a secret that this server does not have any more',
  })
  payload!: object | null;

  @time('When it was sent')
  created_at!: string;

  @optionalTime('When the device has acknowledged it; null: it has not')
  acknowledged_at!: string | null;

  @optionalTime('When its time was over; null: it was in time')
  expired_at!: string | null;
}
