import { hostName, ipAddress, network, type SettingReader, setting, url } from './setting.js';

export const addressSettings = {
  XMPP_DOMAIN: setting('XMPP_DOMAIN', hostName, 'localhost', 'Domain of every account: user@XMPP_DOMAIN.'),
  XMPP_HOST: setting('XMPP_HOST', hostName, '', 'Host name that XMPP clients connect to. Empty: XMPP_DOMAIN.'),
  XMPP_WS_URL: setting(
    'XMPP_WS_URL',
    url('wss:'),
    '',
    'WebSocket endpoint told to clients. Empty: wss://XMPP_HOST:XMPP_WS_PORT/ws.',
  ),
  HTTP_UPLOAD_DOMAIN: setting(
    'HTTP_UPLOAD_DOMAIN',
    hostName,
    '',
    'Host name in the URLs of uploaded files. Empty: XMPP_HOST.',
  ),
  SIP_DOMAIN: setting('SIP_DOMAIN', hostName, '', 'Domain of SIP addresses: sip:user@SIP_DOMAIN. Empty: XMPP_DOMAIN.'),
  SIP_HOST: setting('SIP_HOST', hostName, '', 'Host name that SIP clients connect to. Empty: XMPP_HOST.'),
  TURN_DOMAIN: setting(
    'TURN_DOMAIN',
    hostName,
    '',
    'Host name of the TURN server, also its realm. Empty: XMPP_DOMAIN.',
  ),
  BIND_ADDRESS: setting(
    'BIND_ADDRESS',
    ipAddress,
    '127.0.0.1',
    'Address on which the public listeners of all servers are opened.',
  ),
  INTERNAL_ADDRESS: setting(
    'INTERNAL_ADDRESS',
    ipAddress,
    '127.0.0.1',
    'Address on which what is only for other servers is opened: PostgreSQL, the admin API and the component listener of ejabberd, JSON-RPC of Kamailio. Without containers it is always 127.0.0.1.',
  ),
  INTERNAL_NETWORK: setting(
    'INTERNAL_NETWORK',
    network,
    '127.0.0.1/32',
    'Network that nobody but these servers is in: what it may call without TLS, and who may.',
  ),
  API_INTERNAL_ADDRESS: setting(
    'API_INTERNAL_ADDRESS',
    ipAddress,
    '127.0.0.1',
    'Address on which the internal listener of the API is opened.',
  ),
  API_INTERNAL_URL: setting(
    'API_INTERNAL_URL',
    url('http:'),
    '',
    'Where Kamailio finds the internal listener of the API. Empty: http://API_INTERNAL_ADDRESS:API_INTERNAL_PORT.',
  ),
  SERVER_IP: setting(
    'SERVER_IP',
    ipAddress,
    '127.0.0.1',
    'Address under which clients reach this machine (SIP, TURN).',
  ),
  MEDIA_IP: setting(
    'MEDIA_IP',
    ipAddress,
    '127.0.0.2',
    'Address of the media relay (rtpengine); the only peer in a private range that TURN may reach.',
  ),
};

/** The names and addresses under which clients find the servers. */
export interface Addresses {
  xmppDomain: string;
  xmppHost: string;
  /** Empty: derived from the host and the port. */
  xmppWebSocketUrl: string;
  uploadDomain: string;
  sipDomain: string;
  sipHost: string;
  turnDomain: string;
  bind: string;
  internalBind: string;
  server: string;
  media: string;
}

export function readAddresses({ read }: SettingReader): Addresses {
  const xmppDomain = read(addressSettings.XMPP_DOMAIN);
  const xmppHost = read(addressSettings.XMPP_HOST) || xmppDomain;
  return {
    xmppDomain,
    xmppHost,
    xmppWebSocketUrl: read(addressSettings.XMPP_WS_URL),
    uploadDomain: read(addressSettings.HTTP_UPLOAD_DOMAIN) || xmppHost,
    sipDomain: read(addressSettings.SIP_DOMAIN) || xmppDomain,
    sipHost: read(addressSettings.SIP_HOST) || xmppHost,
    turnDomain: read(addressSettings.TURN_DOMAIN) || xmppDomain,
    bind: read(addressSettings.BIND_ADDRESS),
    internalBind: read(addressSettings.API_INTERNAL_ADDRESS),
    server: read(addressSettings.SERVER_IP),
    media: read(addressSettings.MEDIA_IP),
  };
}
