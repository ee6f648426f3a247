import { ApiProperty } from '@nestjs/swagger';
import { Text } from '../../http/fields.js';

export class RefreshRequest {
  @Text({ max: 256, secret: true, description: 'The newest refresh token of the session' })
  refresh_token!: string;
}

/** A session's tokens, under every name that clients of the field read. */
export class SessionAnswer {
  @ApiProperty({ example: 'alice@localhost' })
  jid!: string;

  @ApiProperty({ description: 'Send it as `Authorization: Bearer <token>`' })
  token!: string;

  @ApiProperty({ description: 'The same token' })
  access_token!: string;

  @ApiProperty({ example: 'Bearer' })
  token_type!: string;

  @ApiProperty({ description: 'Life of the token in seconds', example: 86400 })
  expires_in!: number;

  @ApiProperty({
    description:
      'Exchange it at `/account/refresh`, once: the answer brings the next one. Used twice it ends the session',
  })
  refresh_token!: string;

  @ApiProperty({
    type: 'integer',
    description: 'Number of the account: clients of the relay read an integer',
    example: 17,
  })
  user_id!: number;

  @ApiProperty({ type: 'integer', description: 'The same number', example: 17 })
  id!: number;

  @ApiProperty({ example: 'alice' })
  username!: string;

  @ApiProperty({ format: 'uuid' })
  session_id!: string;

  @ApiProperty({
    description:
      'The device of the session. What uses it as XMPP resource, or as the end of its SIP instance (`urn:uuid:<device_id>`), ends with the session',
  })
  device_id!: string;
}

export class SessionDocument {
  @ApiProperty({ format: 'uuid' })
  id!: string;

  @ApiProperty({ description: 'Whether it is the session of this request' })
  current!: boolean;

  @ApiProperty()
  device_id!: string;

  @ApiProperty({ type: String, nullable: true, example: "Alice's phone" })
  device_name!: string | null;

  @ApiProperty({ format: 'date-time' })
  created_at!: string;

  @ApiProperty({ format: 'date-time', description: 'When its tokens were last refreshed' })
  last_used_at!: string;

  @ApiProperty({ format: 'date-time', description: 'When it ends unless it is refreshed' })
  expires_at!: string;
}

export class SessionsAnswer {
  @ApiProperty({ type: [SessionDocument] })
  sessions!: SessionDocument[];
}

export class SessionEndAnswer {
  @ApiProperty({
    enum: ['ended', 'ending'],
    description:
      '`ending`: the tokens are dead, and streams or registrations follow when a server that is away is back',
  })
  status!: 'ended' | 'ending';
}
