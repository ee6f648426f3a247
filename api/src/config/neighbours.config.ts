import type { Secret } from '../common/secret.js';
import { addressSettings } from './addresses.config.js';
import { hostName, integer, type SettingReader, secretSetting, setting, url } from './setting.js';

export const neighbourSettings = {
  XMPP_API_URL: setting(
    'XMPP_API_URL',
    url('http:', 'https:'),
    '',
    'Admin API of ejabberd. Plain HTTP is accepted for a loopback address or one in INTERNAL_NETWORK only. Empty: http://127.0.0.1:XMPP_API_PORT.',
  ),
  XMPP_COMPONENT_HOST: setting(
    'XMPP_COMPONENT_HOST',
    hostName,
    '127.0.0.1',
    'Address of the component listener of ejabberd, which has no TLS.',
  ),
  XMPP_COMPONENT_SECRET: secretSetting(
    'XMPP_COMPONENT_SECRET',
    16,
    'Opens the component listener of ejabberd. Devices that get pushes for chat register again after a new one.',
  ),
  SIP_RPC_URL: setting(
    'SIP_RPC_URL',
    url('http:', 'https:'),
    '',
    'JSON-RPC of Kamailio. Empty: http://127.0.0.1:SIP_RPC_PORT.',
  ),
  RTPENGINE_HOST: setting('RTPENGINE_HOST', hostName, '127.0.0.1', 'Address of the control port of rtpengine.'),
  NEIGHBOUR_TIMEOUT_MS: setting(
    'NEIGHBOUR_TIMEOUT_MS',
    // Below a minute: when its own database is away, ejabberd then calls every password wrong instead of failing.
    integer(100, 30_000),
    5000,
    'How long the API waits for ejabberd, Kamailio or PostgreSQL, in milliseconds.',
  ),
};

export interface NeighboursConfig {
  /** Empty: derived from the port. */
  ejabberdUrl: string;
  componentHost: string;
  componentSecret: Secret;
  /** Empty: derived from the port. */
  kamailioUrl: string;
  rtpengineHost: string;
  timeoutMs: number;
}

export function readNeighbours(reader: SettingReader): NeighboursConfig {
  const ejabberdUrl = reader.read(neighbourSettings.XMPP_API_URL);
  const own = reader.read(addressSettings.INTERNAL_NETWORK);
  reader.requireTls(neighbourSettings.XMPP_API_URL, ejabberdUrl, 'passwords cross it', own);
  return {
    ejabberdUrl,
    componentHost: reader.read(neighbourSettings.XMPP_COMPONENT_HOST),
    componentSecret: reader.read(neighbourSettings.XMPP_COMPONENT_SECRET),
    kamailioUrl: reader.read(neighbourSettings.SIP_RPC_URL),
    rtpengineHost: reader.read(neighbourSettings.RTPENGINE_HOST),
    timeoutMs: reader.read(neighbourSettings.NEIGHBOUR_TIMEOUT_MS),
  };
}
