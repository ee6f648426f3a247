import { registerAccount, uniqueName } from './api.js';
import { audioDescription, SipClient as Client, type Exchange, type SipClient } from './sip-client.js';
import { mediaSessions } from './sip-media.js';
import { header, type SipRequest, type SipResponse } from './sip-message.js';
import type { TransportName } from './sip-transport.js';
import { until } from './wait.js';

/** A call between two clients as the caller knows it, and the INVITE as the callee saw it. */
export interface EstablishedCall extends Exchange {
  final: SipResponse;
  seenByCallee: SipRequest;
}

/** A fresh account with a registered client, which speaks from a loopback address. */
export async function registeredClient(
  prefix: string,
  transport: TransportName = 'udp',
  address?: string,
): Promise<SipClient> {
  const client = await Client.open(await registerAccount(prefix), transport, address);
  const { status } = await client.register();
  if (status !== 200) throw new Error(`REGISTER was answered ${status}`);
  return client;
}

/** Calls, answers, and confirms. */
export async function establishCall(caller: SipClient, callee: SipClient): Promise<EstablishedCall> {
  const calling = caller.request('INVITE', callee.address, { body: audioDescription() });
  const seenByCallee = await callee.incoming('INVITE');
  callee.reply(seenByCallee, 180);
  callee.reply(seenByCallee, 200, { body: audioDescription() });
  const call = await calling;
  caller.withinCall(call, 'ACK');
  await callee.incoming('ACK');
  return { ...call, seenByCallee };
}

/** Hangs up and waits until both sides know. */
export async function endCall(call: EstablishedCall, caller: SipClient, callee: SipClient): Promise<void> {
  const farewell = caller.withinCall(call, 'BYE');
  callee.reply(await callee.incoming('BYE'), 200);
  await caller.final(farewell);
}

/** Sends an INVITE with credentials and returns without waiting for its answer. */
export async function startCall(caller: SipClient, uri: string, displayName = ''): Promise<Exchange> {
  const identity = { callId: uniqueName('call'), fromTag: uniqueName('tag'), displayName, body: audioDescription() };
  const first = caller.send('INVITE', uri, identity);
  const challenge = await caller.final(first);
  caller.acknowledge(first, challenge);
  return caller.send('INVITE', uri, { ...identity, sequence: 2, headers: [caller.answer(challenge, 'INVITE', uri)] });
}

/** A later answer: what was on its way before has arrived. */
export async function barrier(client: SipClient): Promise<void> {
  await client.final(client.send('OPTIONS', client.address.replace(/.*@/, 'sip:')));
}

/** The final answers to a request. */
export const finals = ({ responses }: Exchange): number[] =>
  responses.map(({ status }) => status).filter((status) => status >= 200);

/** Resolves when the media relay has no session of the call. */
export const relayForgets = ({ request }: Exchange): Promise<boolean> =>
  until('the relay has forgotten the call', async () => !(await mediaSessions()).includes(header(request, 'Call-ID')));

/** Gives a call up that is not answered yet (RFC 3261 §9.1). */
export function cancelCall(caller: SipClient, { request }: Exchange): void {
  const headers = request.headers
    .filter(([name]) => ['Via', 'From', 'To', 'Call-ID', 'Max-Forwards'].includes(name))
    .concat([['CSeq', '2 CANCEL']]);
  caller.transport.send({ method: 'CANCEL', uri: request.uri, headers, body: '' });
}
