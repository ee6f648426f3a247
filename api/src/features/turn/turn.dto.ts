import { ApiProperty } from '@nestjs/swagger';

export class TurnCredentials {
  @ApiProperty({ description: '`<unix expiry>:<user>`; the user is a pseudonym', example: '1795000000:0b9f…' })
  username!: string;

  @ApiProperty({ description: 'base64(HMAC-SHA1(secret, username))' })
  password!: string;

  @ApiProperty({ description: 'Seconds until they expire', example: 86400 })
  ttl!: number;

  @ApiProperty({ type: [String], example: ['turn:localhost:3478?transport=udp'], description: 'RFC 7065' })
  uris!: string[];
}
