import type { Certificate } from '../../clients/probes/certificate.js';
import { ProbeError } from '../../clients/probes/probe-error.js';
import { probeSip } from '../../clients/probes/sip.probe.js';
import type { SipTarget } from '../../clients/probes/sip-connection.js';
import type { Deadline, Endpoint, Trust } from '../../clients/probes/sockets.js';
import { probeTls } from '../../clients/probes/tls.probe.js';
import { probeTurn } from '../../clients/probes/turn.probe.js';
import type { TurnTransport } from '../../clients/probes/turn-session.js';
import {
  probeXmppStartTls,
  probeXmppTls,
  probeXmppWebSocket,
  type XmppGreeting,
} from '../../clients/probes/xmpp.probe.js';
import { type Deployment, hostOf, portOf } from './deployment.js';
import type { Aim } from './remedies.js';

/** One port that a server must answer in its own protocol; with TLS, it shows its certificate. */
export interface ProtocolCheck extends Aim {
  id: string;
  protocol: string;
  host: string;
  /** What people can't do when it fails. */
  effect: string;
  /** Clients are not told of it: it may be closed. */
  optional?: true;
  probe: (trust: Trust, deadline: Deadline) => Promise<{ certificate: Certificate | undefined }>;
}

/** Every port that clients of a deployment use. @param sip where SIP over UDP and TCP is, when no setting says it */
export const protocolChecks = (deployment: Deployment, sip: Endpoint): ProtocolCheck[] => [
  ...webChecks(deployment),
  ...xmppChecks(deployment),
  ...sipChecks(deployment, sip),
  ...turnChecks(deployment),
];

function webChecks({ apiUrl, upload }: Deployment): ProtocolCheck[] {
  const checks: ProtocolCheck[] = [];
  const add = (id: string, protocol: string, server: 'api' | 'ejabberd', endpoint: Endpoint, effect: string) =>
    checks.push({
      ...{ id, protocol, server, effect, ...endpoint, transport: 'tcp' },
      setting: server === 'api' ? 'API_PORT' : 'XMPP_HTTPS_PORT',
      probe: (trust, deadline) => probeTls(endpoint, endpoint.host, trust, deadline),
    });
  if (apiUrl.startsWith('https:')) {
    const endpoint = { host: hostOf(apiUrl), port: portOf(apiUrl) };
    add('api.tls', 'HTTPS of the API', 'api', endpoint, 'apps cannot reach the server');
  }
  if (upload.port) {
    const endpoint = { host: upload.host, port: upload.port };
    add('upload.tls', 'HTTPS of uploads', 'ejabberd', endpoint, 'files cannot be sent or fetched');
  }
  return checks;
}

function xmppChecks({ xmpp: { domain, host, startTlsPort, tlsPort, webSocketUrl } }: Deployment): ProtocolCheck[] {
  const shared = { server: 'ejabberd', transport: 'tcp' } as const;
  const [startTls, tls] = [
    { host, port: startTlsPort },
    { host, port: tlsPort },
  ];
  return [
    {
      ...{ ...shared, ...startTls, id: 'xmpp.starttls', protocol: 'XMPP with STARTTLS', setting: 'XMPP_PORT' },
      effect: 'chat apps that begin without TLS cannot connect',
      probe: (trust, deadline) => withScram(probeXmppStartTls(startTls, domain, trust, deadline)),
    },
    {
      ...{ ...shared, ...tls, id: 'xmpp.tls', protocol: 'XMPP with direct TLS', setting: 'XMPP_TLS_PORT' },
      effect: 'chat apps cannot connect',
      probe: (trust, deadline) => withScram(probeXmppTls(tls, domain, trust, deadline)),
    },
    {
      ...{ ...shared, id: 'xmpp.websocket', protocol: 'XMPP in a WebSocket', setting: 'XMPP_WS_PORT or XMPP_WS_URL' },
      ...{ host: hostOf(webSocketUrl), port: portOf(webSocketUrl) },
      effect: 'chat in browsers does not work',
      probe: (trust, deadline) => withScram(probeXmppWebSocket(webSocketUrl, domain, trust, deadline)),
    },
  ];
}

/** Without it our accounts cannot log in: the server keeps nothing else of their passwords. */
async function withScram(greeting: Promise<XmppGreeting>): Promise<XmppGreeting> {
  const seen = await greeting;
  if (seen.mechanisms.includes('SCRAM-SHA-256')) return seen;
  throw new ProbeError('unexpected', 'the server does not offer SCRAM-SHA-256');
}

function sipChecks(
  { sip: { domain, host, port, tlsPort, webSocketUrl } }: Deployment,
  found: Endpoint,
): ProtocolCheck[] {
  const plain = port ? { host, port } : found;
  const phones = (transport: string): string => `phones that use ${transport} can neither call nor be called`;
  const check = (id: string, protocol: string, setting: string, effect: string, target: SipTarget): ProtocolCheck => ({
    ...{ id: `sip.${id}`, protocol, setting, effect, server: 'kamailio' },
    transport: target.transport === 'udp' ? 'udp' : 'tcp',
    ...(target.transport === 'wss'
      ? { host: hostOf(target.url), port: portOf(target.url) }
      : { host: target.host, port: target.port }),
    ...(port || (target.transport !== 'udp' && target.transport !== 'tcp') ? {} : { optional: true }),
    probe: (trust, deadline) => probeSip(target, domain, trust, deadline),
  });
  const tls: SipTarget = { transport: 'tls', host, port: tlsPort, name: host };
  const browsers = 'browsers can neither call nor be called';
  return [
    check('udp', 'SIP over UDP', 'SIP_PORT', phones('UDP'), { transport: 'udp', ...plain }),
    check('tcp', 'SIP over TCP', 'SIP_PORT', phones('TCP'), { transport: 'tcp', ...plain }),
    check('tls', 'SIP over TLS', 'SIP_TLS_PORT', 'phones and apps can neither call nor be called', tls),
    check('wss', 'SIP in a WebSocket', 'SIP_WSS_PORT', browsers, { transport: 'wss', url: webSocketUrl }),
  ];
}

function turnChecks({ turn, turnTls }: Deployment): ProtocolCheck[] {
  const check = (way: TurnTransport, endpoint: Endpoint, setting: string): ProtocolCheck => ({
    ...{
      ...endpoint,
      setting,
      id: `turn.${way}`,
      protocol: `STUN and TURN over ${way.toUpperCase()}`,
      server: 'coturn',
    },
    transport: way === 'udp' ? 'udp' : 'tcp',
    effect: 'calls from behind strict firewalls have no sound',
    probe: (trust, deadline) => probeTurn({ ...endpoint, transport: way }, trust, deadline),
  });
  return [check('udp', turn, 'TURN_PORT'), check('tcp', turn, 'TURN_PORT'), check('tls', turnTls, 'TURN_TLS_PORT')];
}
