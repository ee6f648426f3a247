import { ApiProperty } from '@nestjs/swagger';

export class ProfileAnswer {
  @ApiProperty({ format: 'uuid' })
  id!: string;

  @ApiProperty({ example: 'alice@localhost' })
  jid!: string;

  @ApiProperty({ example: 'alice' })
  username!: string;

  @ApiProperty({ type: String, nullable: true, example: 'alice@example.org' })
  email!: string | null;

  @ApiProperty({ description: 'Whether the address is proved: only then a code for a forgotten password goes there' })
  email_verified!: boolean;

  @ApiProperty({ description: 'Whether a Google account opens this one' })
  google_linked!: boolean;

  @ApiProperty({ description: 'Without one, what asks for the password asks for a recent login instead' })
  has_password!: boolean;

  @ApiProperty({ format: 'date-time' })
  created_at!: string;
}
