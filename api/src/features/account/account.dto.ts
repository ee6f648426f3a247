import { ApiProperty } from '@nestjs/swagger';
import { Text } from '../../http/fields.js';

export class RegisterRequest {
  @Text({
    min: 3,
    max: 32,
    optional: true,
    description:
      'Letters a-z, digits and _; folded to lower case. May be left out with `email`: a name is made up then',
    example: 'alice',
  })
  username?: string;

  @Text({ max: 254, optional: true, description: 'Another name to log in with', example: 'alice@example.org' })
  email?: string;

  @Text({ min: 8, max: 128, secret: true, description: 'Not one of the common ones' })
  password!: string;

  @Text({
    max: 64,
    optional: true,
    secret: true,
    description: 'Needed where `registration` of /server/info is `invite`',
  })
  invite_code?: string;
}

export class LoginRequest {
  @Text({ max: 254, optional: true, description: 'Username, JID or e-mail address, in any case', example: 'alice' })
  username?: string;

  @Text({
    max: 254,
    optional: true,
    description: 'In place of `username`; the same is accepted',
    example: 'alice@example.org',
  })
  email?: string;

  @Text({ max: 128, secret: true, description: 'The password' })
  password!: string;
}

export class DeleteAccountRequest {
  @Text({ max: 300, description: "The caller's own JID", example: 'alice@localhost' })
  jid!: string;

  @Text({ max: 128, secret: true, description: 'The password, once more' })
  password!: string;
}

/** A session's token under every name that clients of the field read. */
export class LoginAnswer {
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

  @ApiProperty({ format: 'uuid' })
  user_id!: string;
}

export class RegisterAnswer extends LoginAnswer {
  @ApiProperty({ enum: ['registered'] })
  status!: 'registered';
}

export class DeleteAccountAnswer {
  @ApiProperty({
    enum: ['deleted', 'deleting'],
    description: '`deleting`: the account is closed, and the rest follows when a server that is away is back',
  })
  status!: 'deleted' | 'deleting';
}
