import { ApiProperty } from '@nestjs/swagger';
import { PUSH_PROVIDERS, type PushProvider } from '../../clients/push/push-client.js';

export class ServerInfo {
  @ApiProperty({ example: 'example.com', description: 'Domain of JIDs' })
  xmpp_domain!: string;

  @ApiProperty({ example: 'chat.example.com' })
  xmpp_host!: string;

  @ApiProperty({ example: 5223, description: 'XMPP with direct TLS' })
  xmpp_port_tls!: number;

  @ApiProperty({ example: 5222, description: 'XMPP with STARTTLS' })
  xmpp_port_starttls!: number;

  @ApiProperty({ example: 'wss://chat.example.com:5280/ws', description: 'XMPP over WebSocket (RFC 7395)' })
  xmpp_ws_url!: string;

  @ApiProperty({ example: 'example.com', description: 'Domain of SIP addresses' })
  sip_domain!: string;

  @ApiProperty({ example: 'sip.example.com', description: 'Host that SIP clients connect to' })
  sip_host!: string;

  @ApiProperty({ example: 5061, description: 'SIP over TLS' })
  sip_port_tls!: number;

  @ApiProperty({ example: 'wss://example.com:8089', description: 'SIP over WebSocket (RFC 7118)' })
  sip_ws_url!: string;

  @ApiProperty({ example: 'turn.example.com:3478', description: 'STUN and TURN over UDP and TCP' })
  turn_server!: string;

  @ApiProperty({ example: 'turn.example.com:5349', description: 'TURN over TLS' })
  turn_server_tls!: string;

  @ApiProperty({ example: 'upload.example.com', description: 'Host of uploaded files' })
  http_upload_host!: string;

  @ApiProperty({
    enum: ['open', 'invite', 'closed'],
    description: 'Whether registering needs an invite code, or is not possible',
  })
  registration!: 'open' | 'invite' | 'closed';

  @ApiProperty({ enum: PUSH_PROVIDERS, isArray: true, description: 'Providers by which devices are woken' })
  push_providers!: PushProvider[];

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'What a browser subscribes to web push with (`applicationServerKey`, RFC 8292 §4.1), base64url',
  })
  vapid_public_key!: string | null;

  @ApiProperty({ example: '1.0.0' })
  server_version!: string;

  @ApiProperty({ example: '1.0.0', description: 'Older clients should ask to be updated' })
  min_client_version!: string;
}
