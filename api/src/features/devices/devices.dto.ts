import { ApiProperty } from '@nestjs/swagger';
import { Text } from '../../http/fields.js';
import { DEVICE_KINDS } from './device.js';

const ID = {
  oneOf: [{ type: 'integer' }, { type: 'string' }],
  description: 'A number when the server gave it, text when the client did',
  example: 17,
};
const TYPE = `One of ${DEVICE_KINDS.join(', ')}; host is a phone with SIM cards that relays, client what uses it`;

export class CreateDeviceRequest {
  @Text({ max: 128, description: 'What its owner calls it', example: "Alice's phone" })
  name!: string;

  @Text({ max: 16, description: TYPE, example: 'host' })
  type!: string;
}

export class RenameDeviceRequest {
  @Text({ max: 128, description: 'What its owner calls it', example: "Alice's phone" })
  name!: string;
}

export class DeviceAnswer {
  @ApiProperty(ID)
  id!: number | string;

  @ApiProperty({ type: String, nullable: true, description: 'What its owner calls it', example: "Alice's phone" })
  name!: string | null;

  @ApiProperty({ enum: DEVICE_KINDS, description: TYPE })
  type!: string;

  @ApiProperty({ description: 'Whether it has a WebSocket open, at any process of the API' })
  is_online!: boolean;

  @ApiProperty({ type: String, format: 'date-time', nullable: true, description: 'When it was last connected' })
  last_seen!: string | null;
}

export class DeviceEndAnswer {
  @ApiProperty({
    enum: ['revoked', 'revoking'],
    description: '`revoking`: its tokens are dead; streams or registrations follow when a server that is away is back',
  })
  status!: 'revoked' | 'revoking';
}

const DEVICE_ID =
  'As its client names it; unique to the server, not only to the account. Letters a-z, digits and . _ : -';

export class ChallengeRequest {
  @Text({ max: 128, description: DEVICE_ID, example: 'laptop-3f2a' })
  device_id!: string;
}

export class ChallengeAnswer {
  @ApiProperty()
  device_id!: string;

  @ApiProperty({ description: '32 random bytes, base64. Good for one attempt' })
  challenge!: string;

  @ApiProperty({ description: 'What the signature is for', example: 'lem-device-register-v1' })
  context!: string;

  @ApiProperty({ description: 'Seconds', example: 120 })
  expires_in!: number;
}

export class RegisterDeviceRequest {
  @Text({ max: 128, description: DEVICE_ID, example: 'laptop-3f2a' })
  device_id!: string;

  @Text({ max: 1024, description: 'Its public key: with a proof 32 bytes of Ed25519, base64' })
  pubkey!: string;

  @Text({ max: 64, optional: true, description: 'The challenge that was signed, as it came' })
  challenge?: string;

  @Text({ max: 128, optional: true, description: 'Ed25519 over `context:device_id:challenge`, base64' })
  signature?: string;

  @Text({ max: 128, optional: true, description: 'What its owner calls it' })
  name?: string;

  @Text({ max: 16, optional: true, description: `${TYPE}. desktop unless it says otherwise` })
  type?: string;
}

export class DeviceKeyAnswer {
  @ApiProperty({ description: 'The id, always as text', example: 'laptop-3f2a' })
  id!: string;

  @ApiProperty({ type: 'integer', description: 'The account, as its login names it', example: 1 })
  user_id!: number;

  @ApiProperty({ type: String, nullable: true, description: 'Its public key, as it was registered' })
  pubkey!: string | null;

  @ApiProperty({ description: 'Whether the device has proved that it holds the key' })
  proved!: boolean;

  @ApiProperty({ format: 'date-time' })
  created_at!: string;

  @ApiProperty({ type: String, format: 'date-time', nullable: true, description: 'When it was last connected' })
  last_seen!: string | null;
}
