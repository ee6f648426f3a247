import { Inject, Injectable } from '@nestjs/common';
import { PUSH_PROVIDERS } from '../../clients/push/push-client.js';
import { CONFIG, type Config } from '../../config/config.js';
import type { ServerInfo } from './server-info.dto.js';

/** What a client has to know before it can connect to anything. */
@Injectable()
export class ServerInfoService {
  readonly info: ServerInfo;

  constructor(@Inject(CONFIG) { addresses, identity, ports, push, versions }: Config) {
    this.info = {
      xmpp_domain: addresses.xmppDomain,
      xmpp_host: addresses.xmppHost,
      xmpp_port_tls: ports.xmppTls,
      xmpp_port_starttls: ports.xmpp,
      xmpp_ws_url: addresses.xmppWebSocketUrl || `wss://${addresses.xmppHost}:${ports.xmppWebSocket}/ws`,
      sip_domain: addresses.sipDomain,
      sip_host: addresses.sipHost,
      sip_port_tls: ports.sipTls,
      sip_ws_url: `wss://${addresses.sipHost}:${ports.sipWebSocket}`,
      turn_server: `${addresses.turnDomain}:${ports.turn}`,
      turn_server_tls: `${addresses.turnDomain}:${ports.turnTls}`,
      http_upload_host: addresses.uploadDomain,
      push_providers: PUSH_PROVIDERS.filter((provider) => push[provider] !== null),
      vapid_public_key: push.webpush?.publicKey ?? null,
      registration: identity.registration,
      server_version: versions.server,
      min_client_version: versions.minimumClient,
    };
  }
}
