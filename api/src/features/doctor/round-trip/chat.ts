import { randomBytes } from 'node:crypto';
import { askHttp } from '../../../clients/probes/http.probe.js';
import { ProbeError } from '../../../clients/probes/probe-error.js';
import type { Deadline, Trust } from '../../../clients/probes/sockets.js';
import { XmppSession } from '../../../clients/probes/xmpp-session.js';
import { XmppStream } from '../../../clients/probes/xmpp-stream.js';
import type { Deployment } from '../deployment.js';
import { ok, type Verdict } from '../finding.js';
import type { Guest } from './lodging.js';

/** A message from an app to a browser, and one back. @throws ProbeError */
export async function exchangeMessages(
  { xmpp }: Deployment,
  [one, other]: readonly [Guest, Guest],
  trust: Trust,
  deadline: Deadline,
): Promise<Verdict> {
  const webSocket = XmppStream.overWebSocket(xmpp.webSocketUrl, xmpp.domain, trust, deadline);
  const [app, browser] = await Promise.all([
    appSession(xmpp, one, trust, deadline),
    webSocket.then((stream) => XmppSession.logIn(stream, other.username, other.password)),
  ]);
  const text = randomBytes(12).toString('hex');
  app.sendMessage(browser.jid, text);
  await browser.messageWith(text);
  browser.sendMessage(app.jid, `${text} too`);
  await app.messageWith(`${text} too`);
  return ok('two accounts logged in (SCRAM-SHA-256), and a message went there and back');
}

/** A file that is sent, and fetched again. It goes when its account does. @throws ProbeError */
export async function exchangeFile(
  { xmpp }: Deployment,
  guest: Guest,
  trust: Trust,
  deadline: Deadline,
): Promise<Verdict> {
  const content = randomBytes(24).toString('hex');
  const session = await appSession(xmpp, guest, trust, deadline);
  const slot = await session.uploadSlot('doctor.txt', content.length);
  const sent = await askHttp(slot.put, trust, deadline, { method: 'PUT', body: Buffer.from(content) });
  if (sent.status !== 201) throw new ProbeError('rejected', `the upload was answered ${sent.status}`);
  const fetched = await askHttp(slot.get, trust, deadline);
  if (String(fetched.body) !== content) throw new ProbeError('unexpected', `the file was answered ${fetched.status}`);
  return ok('a file was sent and fetched');
}

async function appSession(
  { domain, host, tlsPort }: Deployment['xmpp'],
  { username, password }: Guest,
  trust: Trust,
  deadline: Deadline,
): Promise<XmppSession> {
  const stream = await XmppStream.overTls({ host, port: tlsPort }, domain, trust, deadline);
  return XmppSession.logIn(stream, username, password);
}
