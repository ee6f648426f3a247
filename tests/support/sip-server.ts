import axios, { type AxiosResponse } from 'axios';
import { descendants, processes, serverPids } from './host.js';
import { platform, secret } from './platform.js';
import { SipClient } from './sip-client.js';
import { until } from './wait.js';

/** Kamailio as its operator sees it: its process under the supervisor, and its JSON-RPC. */

const startedAt = async (): Promise<string> => (await rpc('core.uptime')).data.result.up_since;

/**
 * Kills Kamailio as a crash would, and waits for its successor. Children of the old one live on for a moment, and a
 * datagram that one of them still takes is lost with it: a phone would send it again, our SipClient does not.
 */
export async function killKamailio(): Promise<void> {
  const before = await startedAt();
  const main = (await serverPids()).kamailio;
  const children = new Set(descendants(main).map(({ pid }) => pid));
  process.kill(main, 'SIGKILL');
  await until('another Kamailio answers', async () => (await startedAt()) !== before);
  await until('the killed one is gone', () => !processes().some(({ pid }) => children.has(pid)));
  // It drops datagrams until it has read the registrations: phones send them again, our client does not.
  await until('it takes datagrams', () => answers(platform.clientAddress));
}

/** Whether the server answers OPTIONS from that address within a second. */
export async function answers(address: string): Promise<boolean> {
  const client = await SipClient.open({ username: 'anybody', password: '' }, 'udp', address);
  try {
    return (await client.final(client.send('OPTIONS', `sip:${platform.domain}`), 1000)).status === 200;
  } catch {
    return false;
  } finally {
    client.close();
  }
}

/** Runs `work` while Kamailio has no media relay. */
export async function withoutMediaRelay<T>(work: () => Promise<T>): Promise<T> {
  await rpc('rtpengine.enable', ['all', 0]);
  try {
    return await work();
  } finally {
    await rpc('rtpengine.enable', ['all', 1]);
  }
}

/** Calls a method of Kamailio's JSON-RPC. */
export const rpc = (
  method: string,
  params: (string | number)[] = [],
  authorization = `Bearer ${secret('internal_secret')}`,
): Promise<AxiosResponse> =>
  axios.post(
    `http://127.0.0.1:${platform.ports.sipRpc}/rpc`,
    { jsonrpc: '2.0', id: 1, method, params },
    { headers: { authorization }, validateStatus: () => true, proxy: false, timeout: 5000 },
  );
