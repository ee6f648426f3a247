import { port, type SettingReader, setting } from './setting.js';

const portSetting = (name: string, number: number, doc: string) => setting(name, port, number, doc);

export const portSettings = {
  API_PORT: portSetting('API_PORT', 8443, 'REST API, plain HTTP: put TLS in front of it.'),
  API_INTERNAL_PORT: portSetting(
    'API_INTERNAL_PORT',
    8444,
    'Internal listener of the API: webhooks of the other servers. Never publish it.',
  ),
  DB_PORT: portSetting('DB_PORT', 5432, 'PostgreSQL.'),
  XMPP_PORT: portSetting('XMPP_PORT', 5222, 'XMPP with STARTTLS.'),
  XMPP_TLS_PORT: portSetting('XMPP_TLS_PORT', 5223, 'XMPP with direct TLS.'),
  XMPP_WS_PORT: portSetting('XMPP_WS_PORT', 5280, 'XMPP over WebSocket (wss).'),
  XMPP_HTTPS_PORT: portSetting('XMPP_HTTPS_PORT', 5443, 'HTTPS of the chat server: upload, WebSocket, host-meta.'),
  XMPP_API_PORT: portSetting('XMPP_API_PORT', 5281, 'Admin API of ejabberd. Never publish it.'),
  XMPP_COMPONENT_PORT: portSetting('XMPP_COMPONENT_PORT', 5347, 'XEP-0114 components. Never publish it.'),
  SIP_PORT: portSetting('SIP_PORT', 5060, 'SIP over UDP and TCP.'),
  SIP_TLS_PORT: portSetting('SIP_TLS_PORT', 5061, 'SIP over TLS.'),
  SIP_WSS_PORT: portSetting('SIP_WSS_PORT', 8089, 'SIP over secure WebSocket.'),
  SIP_RPC_PORT: portSetting('SIP_RPC_PORT', 5066, 'JSON-RPC of Kamailio. Never publish it.'),
  RTPENGINE_NG_PORT: portSetting('RTPENGINE_NG_PORT', 2223, 'Control port of rtpengine (ng). Never publish it.'),
  RTP_MIN_PORT: portSetting('RTP_MIN_PORT', 20_000, 'First UDP port for media; a call takes four.'),
  RTP_MAX_PORT: portSetting('RTP_MAX_PORT', 20_100, 'Last UDP port for media.'),
  TURN_PORT: portSetting('TURN_PORT', 3478, 'STUN and TURN over UDP and TCP.'),
  TURN_TLS_PORT: portSetting('TURN_TLS_PORT', 5349, 'TURN over TLS.'),
  TURN_MIN_PORT: portSetting('TURN_MIN_PORT', 49_160, 'First UDP port of TURN relays.'),
  TURN_MAX_PORT: portSetting('TURN_MAX_PORT', 49_360, 'Last UDP port of TURN relays.'),
};

/** The ports that the API listens on, connects to or tells its clients, and those that the doctor looks at. */
export interface Ports {
  api: number;
  apiInternal: number;
  database: number;
  xmpp: number;
  xmppTls: number;
  xmppWebSocket: number;
  xmppHttps: number;
  xmppApi: number;
  xmppComponent: number;
  sip: number;
  sipTls: number;
  sipWebSocket: number;
  sipRpc: number;
  rtpengineNg: number;
  turn: number;
  turnTls: number;
}

export function readPorts({ read }: SettingReader): Ports {
  return {
    api: read(portSettings.API_PORT),
    apiInternal: read(portSettings.API_INTERNAL_PORT),
    database: read(portSettings.DB_PORT),
    xmpp: read(portSettings.XMPP_PORT),
    xmppTls: read(portSettings.XMPP_TLS_PORT),
    xmppWebSocket: read(portSettings.XMPP_WS_PORT),
    xmppHttps: read(portSettings.XMPP_HTTPS_PORT),
    xmppApi: read(portSettings.XMPP_API_PORT),
    xmppComponent: read(portSettings.XMPP_COMPONENT_PORT),
    sip: read(portSettings.SIP_PORT),
    sipTls: read(portSettings.SIP_TLS_PORT),
    sipWebSocket: read(portSettings.SIP_WSS_PORT),
    sipRpc: read(portSettings.SIP_RPC_PORT),
    rtpengineNg: read(portSettings.RTPENGINE_NG_PORT),
    turn: read(portSettings.TURN_PORT),
    turnTls: read(portSettings.TURN_TLS_PORT),
  };
}
