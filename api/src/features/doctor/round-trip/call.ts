import { setTimeout as delay } from 'node:timers/promises';
import { explain, ProbeError } from '../../../clients/probes/probe-error.js';
import { audioOf, RtpStream } from '../../../clients/probes/rtp-stream.js';
import { SipAgent, type SipCall } from '../../../clients/probes/sip-agent.js';
import { SipConnection, type SipTarget } from '../../../clients/probes/sip-connection.js';
import type { Deadline, Endpoint, Trust } from '../../../clients/probes/sockets.js';
import type { Deployment } from '../deployment.js';
import { fault, ok, type Verdict, warning } from '../finding.js';
import { isPublicAddress } from '../names.rules.js';
import type { Guest } from './lodging.js';

/** A second of speech. */
const FRAMES = 50;
/** What is still on its way when the last frame was sent. */
const STRAGGLERS_MS = 300;
const MOST_LOST = 0.2;
const REGISTERED_SECONDS = 60;

interface Phone {
  agent: SipAgent;
  media: RtpStream;
  /** What the phone tells the other party. */
  sdp: string;
}

/** What each party of a call has heard of the other, and where the relay had them send. */
export interface HeardMedia {
  sent: number;
  heardByCaller: number;
  heardByCallee: number;
  relay: Endpoint;
}

/** Registers one account, calls it from the other, speaks both ways, and hangs up. @throws ProbeError */
export async function makeCall(
  { sip, apiUrl }: Deployment,
  guests: readonly [Guest, Guest],
  trust: Trust,
  deadline: Deadline,
): Promise<Verdict> {
  const phone = (guest: Guest) => openPhone(sip, guest, trust, deadline);
  const [caller, callee] = await Promise.all([phone(guests[0]), phone(guests[1])]);
  await callee.agent.register(REGISTERED_SECONDS);
  const [call, answered] = await Promise.all([
    caller.agent.call(callee.agent.address, caller.sdp),
    callee.agent.answer(callee.sdp),
    caller.agent.ringing(),
  ]);
  const heard = await speak(caller, callee, call.sdp, answered.sdp);
  await hangUp(caller, callee, call);
  return judgeMedia(heard, new URL(apiUrl).hostname);
}

async function speak(caller: Phone, callee: Phone, toCaller: string, toCallee: string): Promise<HeardMedia> {
  const [callerSends, calleeSends] = [audioOf(toCaller), audioOf(toCallee)];
  if (!callerSends || !calleeSends) throw new ProbeError('unexpected', 'the call has no audio: the relay took it out');
  await Promise.all([caller.media.speak(callerSends, FRAMES), callee.media.speak(calleeSends, FRAMES)]);
  await delay(STRAGGLERS_MS);
  return {
    sent: FRAMES,
    heardByCaller: caller.media.framesOf(callee.media),
    heardByCallee: callee.media.framesOf(caller.media),
    relay: callerSends,
  };
}

async function hangUp(caller: Phone, callee: Phone, call: SipCall): Promise<void> {
  await Promise.all([caller.agent.hangUp(call), callee.agent.hungUp()]);
  await callee.agent.register(0);
}

async function openPhone(sip: Deployment['sip'], guest: Guest, trust: Trust, deadline: Deadline): Promise<Phone> {
  const connection = await connect(sip, trust, deadline);
  const media = await RtpStream.open(deadline);
  const agent = new SipAgent(connection, { ...guest, domain: sip.domain });
  return { agent, media, sdp: media.describe(connection.local.address) };
}

/** By TLS, which is what clients are told; where that fails, how calls are is still to be seen. */
async function connect(sip: Deployment['sip'], trust: Trust, deadline: Deadline): Promise<SipConnection> {
  const { host } = sip;
  const tls: SipTarget = { transport: 'tls', host, port: sip.tlsPort, name: host };
  return SipConnection.open(tls, trust, deadline).catch((error: unknown) => {
    if (!sip.port) throw explain(error);
    return SipConnection.open({ transport: 'udp', host, port: sip.port }, trust, deadline);
  });
}

/** @param apiHost a deployment whose API is on the Internet needs its media there as well */
export function judgeMedia({ sent, heardByCaller, heardByCallee, relay }: HeardMedia, apiHost: string): Verdict {
  const remedy = isPublicAddress(relay.host)
    ? `open the UDP ports RTP_MIN_PORT to RTP_MAX_PORT at ${relay.host}; log/rtpengine.log of the state directory says more`
    : `MEDIA_IP is ${relay.host}, which only ${apiHost} itself may reach: set it to the public address of the server`;
  if (heardByCaller + heardByCallee === 0)
    return fault(`a call connects, but without any sound (by ${relay.host})`, remedy);
  if (heardByCaller === 0) return fault('a call connects, but the caller hears nothing', remedy);
  if (heardByCallee === 0) return fault('a call connects, but the callee hears nothing', remedy);
  const least = Math.min(heardByCaller, heardByCallee);
  if (least < sent * (1 - MOST_LOST)) {
    const detail = `${sent - least} of ${sent} frames of a call were lost: it sounds broken`;
    return warning(detail, 'look at the load of the server, and at the network between');
  }
  return ok(`rang, connected by ${relay.host}, heard ${heardByCaller} and ${heardByCallee} of ${sent} frames, ended`);
}
