import { isIPv6 } from 'node:net';
import { ProbeError } from '../../clients/probes/probe-error.js';
import type { Endpoint } from '../../clients/probes/sockets.js';
import type { ServerInfo } from '../server-info/server-info.dto.js';

/** Where the servers of a deployment are, as a client is told; what it is not told is undefined. */
export interface Deployment {
  /** Without a path. */
  apiUrl: string;
  xmpp: { domain: string; host: string; startTlsPort: number; tlsPort: number; webSocketUrl: string };
  upload: { host: string; port: number | undefined };
  sip: { domain: string; host: string; port: number | undefined; tlsPort: number; webSocketUrl: string };
  turn: Endpoint;
  turnTls: Endpoint;
}

/** Ports that the settings know and /server/info does not tell. */
export interface KnownPorts {
  sip: number;
  xmppHttps: number;
}

export function deploymentOf(apiUrl: string, info: ServerInfo, known?: KnownPorts): Deployment {
  return {
    apiUrl,
    xmpp: {
      domain: info.xmpp_domain,
      host: info.xmpp_host,
      startTlsPort: info.xmpp_port_starttls,
      tlsPort: info.xmpp_port_tls,
      webSocketUrl: info.xmpp_ws_url,
    },
    upload: { host: info.http_upload_host, port: known?.xmppHttps },
    sip: {
      domain: info.sip_domain,
      host: info.sip_host,
      port: known?.sip,
      tlsPort: info.sip_port_tls,
      webSocketUrl: info.sip_ws_url,
    },
    turn: endpointOf(info.turn_server),
    turnTls: endpointOf(info.turn_server_tls),
  };
}

const TEXTS = ['xmpp_domain', 'xmpp_host', 'sip_domain', 'sip_host', 'http_upload_host'] as const;
const URLS = ['xmpp_ws_url', 'sip_ws_url'] as const;
const PORTS = ['xmpp_port_tls', 'xmpp_port_starttls', 'sip_port_tls'] as const;
const SERVERS = ['turn_server', 'turn_server_tls'] as const;

/** Reads the answer of /server/info as a client has to. @throws ProbeError naming what is missing */
export function readServerInfo(body: unknown): ServerInfo {
  const info = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>;
  const isHost = (name: string): boolean => typeof info[name] === 'string' && /^[^\s/:]+$/.test(info[name]);
  const isUrl = (name: string): boolean => URL.canParse(String(info[name])) && /^wss:/.test(String(info[name]));
  const isPort = (name: string): boolean => Number.isInteger(info[name]) && Number(info[name]) > 0;
  const isServer = (name: string): boolean => /^[^\s/:]+:\d{1,5}$/.test(String(info[name]));
  const missing = [
    ...TEXTS.filter((name) => !isHost(name)),
    ...URLS.filter((name) => !isUrl(name)),
    ...PORTS.filter((name) => !isPort(name)),
    ...SERVERS.filter((name) => !isServer(name)),
  ];
  if (missing.length === 0) return info as unknown as ServerInfo;
  throw new ProbeError('unexpected', `/api/v1/server/info answers without ${missing.join(', ')}`);
}

/** Every host name that a client of the deployment has to resolve. */
export function hostsOf({ apiUrl, xmpp, upload, sip, turn, turnTls }: Deployment): string[] {
  const urls = [apiUrl, xmpp.webSocketUrl, sip.webSocketUrl].map(hostOf);
  return [...new Set([...urls, xmpp.host, upload.host, sip.host, turn.host, turnTls.host])];
}

export const hostOf = (url: string): string => new URL(url).hostname;

/** The port of a URL, that of its scheme when it names none. */
export function portOf(url: string): number {
  const { port, protocol } = new URL(url);
  return Number(port) || (protocol === 'https:' || protocol === 'wss:' ? 443 : 80);
}

function endpointOf(text: string): Endpoint {
  const colon = text.lastIndexOf(':');
  return { host: text.slice(0, colon), port: Number(text.slice(colon + 1)) };
}

/** The API as this machine itself reaches it, when it listens on an address. */
export const localUrl = (bind: string, port: number): string => `http://${hostOn(bind)}:${port}`;

function hostOn(bind: string): string {
  if (bind === '0.0.0.0') return '127.0.0.1';
  if (bind === '::') return '[::1]';
  return isIPv6(bind) ? `[${bind}]` : bind;
}
