import { ApiProperty } from '@nestjs/swagger';
import { Text } from '../../http/fields.js';
import { SessionAnswer } from '../sessions/sessions.dto.js';

/** The device that logs in. */
export class DeviceFields {
  @Text({
    optional: true,
    max: 128,
    description:
      'Letters, digits and . _ : -; the same for push. A login on the same device replaces the one before it',
    example: 'b2a2c6f0-6f1a-4e0a-9c56-0d1f1c3f8f10',
  })
  device_id?: string;

  @Text({ optional: true, max: 64, description: 'As the list of sessions shows it', example: "Alice's phone" })
  device_name?: string;
}

export class RegisterRequest extends DeviceFields {
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

export class LoginRequest extends DeviceFields {
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

  @Text({
    optional: true,
    max: 128,
    secret: true,
    description: 'The password, once more. Only an account without one needs none, but a recent login',
  })
  password?: string;
}

export class ChangePasswordRequest {
  @Text({
    optional: true,
    max: 128,
    secret: true,
    description: 'The present one. Only an account without one needs none, but a recent login',
  })
  password?: string;

  @Text({ min: 8, max: 128, secret: true, description: 'Not one of the common ones' })
  new_password!: string;
}

export class ResetPasswordRequest {
  @Text({ max: 64, secret: true, description: 'By mail or from the operator; case, spaces and hyphens do not matter' })
  code!: string;

  @Text({ min: 8, max: 128, secret: true, description: 'Not one of the common ones' })
  new_password!: string;
}

export class ChangePasswordAnswer {
  @ApiProperty({
    enum: ['changed', 'changing'],
    description: '`changing`: one of both passwords works until a server that is away is back, then the new one does',
  })
  status!: 'changed' | 'changing';
}

export class RegisterAnswer extends SessionAnswer {
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
