import { registerAccount } from './api.js';
import { audioDescription, SipClient as Client, type Exchange, type SipClient } from './sip-client.js';
import type { SipRequest, SipResponse } from './sip-message.js';
import type { TransportName } from './sip-transport.js';

/** A call between two clients as the caller knows it, and the INVITE as the callee saw it. */
export interface EstablishedCall extends Exchange {
  final: SipResponse;
  seenByCallee: SipRequest;
}

/** A fresh account with a registered client. */
export async function registeredClient(prefix: string, transport: TransportName = 'udp'): Promise<SipClient> {
  const client = await Client.open(await registerAccount(prefix), transport);
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
