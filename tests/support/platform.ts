import { readFileSync } from 'node:fs';
import path from 'node:path';

/**
 * Where the platform under test is: the same settings that scripts/up.sh ran with, from the environment
 * that scripts/test.sh exports. A missing one is an error, never a default: a story must not reach a
 * platform that it was not pointed at.
 */
function setting(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run the stories with scripts/test.sh`);
  return value;
}

const port = (name: string): number => Number(setting(name));

export const platform = {
  /** State directory of the platform under test. */
  directory: setting('VEIL_VAR'),
  host: setting('SERVER_IP'),
  domain: setting('XMPP_DOMAIN'),
  mediaAddress: setting('MEDIA_IP'),
  /** Where clients find the API: behind a TLS proxy it is not the port of the API itself. */
  apiUrl: process.env.API_URL || `http://${setting('SERVER_IP')}:${setting('API_PORT')}`,
  /** The address that clients come from. */
  clientAddress: process.env.CLIENT_ADDRESS || '127.0.0.1',
  ports: {
    api: port('API_PORT'),
    apiInternal: port('API_INTERNAL_PORT'),
    database: port('DB_PORT'),
    xmpp: port('XMPP_PORT'),
    xmppTls: port('XMPP_TLS_PORT'),
    xmppWs: port('XMPP_WS_PORT'),
    xmppHttps: port('XMPP_HTTPS_PORT'),
    xmppApi: port('XMPP_API_PORT'),
    xmppComponent: port('XMPP_COMPONENT_PORT'),
    sip: port('SIP_PORT'),
    sipTls: port('SIP_TLS_PORT'),
    sipWss: port('SIP_WSS_PORT'),
    sipRpc: port('SIP_RPC_PORT'),
    rtpengineNg: port('RTPENGINE_NG_PORT'),
    turn: port('TURN_PORT'),
    turnTls: port('TURN_TLS_PORT'),
  },
  /** The authority that signed every server's certificate (PEM). */
  certificateAuthorityFile: path.join(setting('VEIL_VAR'), 'tls', 'ca.crt'),
} as const;

export const certificateAuthority = (): Buffer => readFileSync(platform.certificateAuthorityFile);

/** A generated secret of the platform under test, e.g. `internal_secret`. */
export const secret = (name: string): string =>
  readFileSync(path.join(platform.directory, 'secrets', name), 'utf8').trim();

const API_SECRETS = [
  ...['DB_PASSWORD', 'JWT_SECRET', 'NAME_SECRET', 'TURN_SECRET', 'INTERNAL_SECRET', 'XMPP_COMPONENT_SECRET'],
  ...['MESSAGE_SECRET', 'VAPID_PRIVATE_KEY'],
];

/** Settings that give a process of the tests the secrets of the platform's API. */
export const apiSecrets = (): NodeJS.ProcessEnv =>
  Object.fromEntries(
    API_SECRETS.map((name) => [`${name}_FILE`, path.join(platform.directory, 'secrets', name.toLowerCase())]),
  );
