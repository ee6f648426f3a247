import { ApiProperty } from '@nestjs/swagger';

export const CONTACT_STATES = ['mutual', 'allowed', 'asking'] as const;

export class ContactDevice {
  @ApiProperty({ oneOf: [{ type: 'integer' }, { type: 'string' }], example: 'laptop-3f2a' })
  id!: number | string;

  @ApiProperty({ enum: ['host', 'client', 'mobile', 'desktop', 'web'] })
  type!: string;

  @ApiProperty({ description: 'Whether it has a WebSocket open, at any process of the API' })
  is_online!: boolean;
}

export class ContactAnswer {
  @ApiProperty({ example: 'bob@localhost' })
  jid!: string;

  @ApiProperty({
    enum: CONTACT_STATES,
    description: 'mutual: both let the other. allowed: you do, and it does not yet. asking: it does, and you do not',
  })
  state!: (typeof CONTACT_STATES)[number];

  @ApiProperty({ type: [ContactDevice], description: 'What can be reached of a mutual contact; else none' })
  devices!: ContactDevice[];
}

export class ContactsAnswer {
  @ApiProperty({ type: [ContactAnswer] })
  contacts!: ContactAnswer[];
}

export class ContactEndAnswer {
  @ApiProperty({ enum: ['withdrawn'] })
  status!: 'withdrawn';
}
