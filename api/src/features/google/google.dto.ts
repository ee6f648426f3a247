import { ApiProperty } from '@nestjs/swagger';
import { Text } from '../../http/fields.js';
import { DeviceFields } from '../account/account.dto.js';
import { SessionAnswer } from '../sessions/sessions.dto.js';

const ID_TOKEN = { max: 8192, secret: true, description: 'ID token that Google gave the app for this user' } as const;

export class GoogleSignInRequest extends DeviceFields {
  @Text(ID_TOKEN)
  id_token!: string;

  @Text({ min: 3, max: 32, optional: true, description: 'Wish for a new account; without it a name is made up' })
  username?: string;

  @Text({
    max: 64,
    optional: true,
    secret: true,
    description: 'For a new account where `registration` of /server/info is `invite`',
  })
  invite_code?: string;
}

export class LinkGoogleRequest {
  @Text(ID_TOKEN)
  id_token!: string;
}

export class GoogleSignInAnswer extends SessionAnswer {
  @ApiProperty({ description: 'Whether the account is new' })
  created!: boolean;
}
