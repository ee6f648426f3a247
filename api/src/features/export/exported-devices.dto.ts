import { ApiProperty } from '@nestjs/swagger';
import { optionalText, optionalTime, time } from './export-fields.js';

export class ExportedDevice {
  @ApiProperty({ example: 'laptop-3f2a' })
  id!: string;

  @optionalText('What its owner calls it')
  name!: string | null;

  @ApiProperty({ enum: ['host', 'client', 'mobile', 'desktop', 'web'] })
  type!: string;

  @optionalText('As it was registered')
  public_key!: string | null;

  @optionalTime('When the device has proved the key; null: it has not')
  key_proven_at!: string | null;

  @time('When it was registered')
  created_at!: string;

  @optionalTime('When it was last connected')
  last_seen_at!: string | null;
}

export class ExportedDeviceContact {
  @ApiProperty({ example: 'bob@localhost' })
  jid!: string;

  @time('Since when it lets them')
  since!: string;
}
