import { ApiProperty } from '@nestjs/swagger';
import { Text } from '../../http/fields.js';

const PASSWORD = { max: 128, optional: true, secret: true, description: 'Needed where the account has one' } as const;

export class ChangeEmailRequest {
  @Text({ max: 254, description: 'The new address', example: 'alice@example.org' })
  email!: string;

  @Text(PASSWORD)
  password?: string;
}

export class RemoveEmailRequest {
  @Text(PASSWORD)
  password?: string;
}

export class VerifyEmailRequest {
  @Text({ max: 64, secret: true, description: 'As the mail has it; case, spaces and hyphens do not matter' })
  code!: string;
}

export class ForgotPasswordRequest {
  @Text({ max: 254, optional: true, description: 'Username, JID or e-mail address', example: 'alice' })
  username?: string;

  @Text({ max: 254, optional: true, description: 'In place of `username`; the same is accepted' })
  email?: string;
}

export class VerificationSentAnswer {
  @ApiProperty({ enum: ['verification_sent'], description: 'The address is used from `/account/email/verify` on' })
  status!: 'verification_sent';
}

export class VerifiedEmailAnswer {
  @ApiProperty({ enum: ['verified'] })
  status!: 'verified';

  @ApiProperty({ example: 'alice@example.org' })
  email!: string;
}

export class ForgotPasswordAnswer {
  @ApiProperty({
    enum: ['accepted'],
    description: 'If there is such an account, and it has a verified address, a code is on its way there',
  })
  status!: 'accepted';
}
