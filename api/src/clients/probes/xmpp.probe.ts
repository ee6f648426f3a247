import type { Certificate } from './certificate.js';
import { ProbeError } from './probe-error.js';
import type { Deadline, Endpoint, Trust } from './sockets.js';
import { mechanismsOf } from './xmpp-session.js';
import { XmppStream } from './xmpp-stream.js';

/** How an XMPP server greets a client, once TLS protects the stream. */
export interface XmppGreeting {
  certificate: Certificate;
  mechanisms: string[];
}

/** Goes as far as the offer to log in, by STARTTLS. @throws ProbeError */
export const probeXmppStartTls = (endpoint: Endpoint, domain: string, trust: Trust, deadline: Deadline) =>
  greeting(XmppStream.overStartTls(endpoint, domain, trust, deadline));

/** … by direct TLS. @throws ProbeError */
export const probeXmppTls = (endpoint: Endpoint, domain: string, trust: Trust, deadline: Deadline) =>
  greeting(XmppStream.overTls(endpoint, domain, trust, deadline));

/** … in a WebSocket. @throws ProbeError */
export const probeXmppWebSocket = (url: string, domain: string, trust: Trust, deadline: Deadline) =>
  greeting(XmppStream.overWebSocket(url, domain, trust, deadline));

async function greeting(opening: Promise<XmppStream>): Promise<XmppGreeting> {
  const stream = await opening;
  const { certificate } = stream;
  const mechanisms = mechanismsOf(stream);
  stream.close();
  if (mechanisms.length === 0) throw new ProbeError('unexpected', 'the server does not offer to log in');
  return { certificate, mechanisms };
}
