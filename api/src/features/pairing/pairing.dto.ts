import { ApiProperty } from '@nestjs/swagger';
import type { WireId } from '../../common/device-id.js';
import { DeviceId, deviceIdProperty, Text } from '../../http/fields.js';

export class PairingCodeAnswer {
  @ApiProperty({ description: 'Six digits, to be typed at the client; good for one pairing', example: '042917' })
  code!: string;

  @ApiProperty({ description: 'How long the code may be used, in seconds', example: 600 })
  expires_in_seconds!: number;
}

export class ConfirmPairingRequest {
  @Text({ max: 64, secret: true, description: 'The code that the host shows', example: '042917' })
  code!: string;

  @DeviceId('The client, one of your own devices')
  client_device_id!: WireId;
}

const CONFIRM_STATUSES = ['paired', 'already_paired'] as const;

export class ConfirmPairingAnswer {
  @ApiProperty({ enum: CONFIRM_STATUSES })
  status!: (typeof CONFIRM_STATUSES)[number];

  @ApiProperty({ description: 'What ends the pairing: DELETE /pairings/{id}', example: 3 })
  pairing_id!: number;

  @ApiProperty(deviceIdProperty('The host whose code it was'))
  host_device_id!: WireId;
}

export class PairingDocument {
  @ApiProperty({ example: 3 })
  id!: number;

  @ApiProperty(deviceIdProperty('The device with the SIM cards'))
  host_device_id!: WireId;

  @ApiProperty(deviceIdProperty('The device that texts and calls through it'))
  client_device_id!: WireId;

  @ApiProperty({ format: 'date-time' })
  created_at!: string;
}

export class UnpairAnswer {
  @ApiProperty({ enum: ['unpaired'] })
  status!: 'unpaired';
}
