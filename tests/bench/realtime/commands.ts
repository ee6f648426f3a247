import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import WebSocket from 'ws';
import { type Account, registerAccount } from '../../support/api.js';
import { platform } from '../../support/platform.js';

/** A client and a host that are paired, connected, and do nothing but send and acknowledge. */
interface Pair {
  client: WebSocket;
  host: WebSocket;
}

export interface CommandsMeasured {
  perSecond: number;
  /** From the client's send to the host's receipt, in milliseconds: by then the command is on the disk. */
  p50: number;
  p99: number;
  lost: number;
}

const PAIRS = 40;

/**
 * Durable commands through the relay, from sockets to sockets: each is written down, delivered and acknowledged.
 * @param perSecond commands are begun so often, whether or not those before have arrived
 */
export async function measureCommands(perSecond: number, seconds: number): Promise<CommandsMeasured> {
  const pairs = await Promise.all((await accounts(4)).flatMap((account) => [...pairsOf(account, PAIRS / 4)]));
  const sentAt = new Map<string, number>();
  const times: number[] = [];
  for (const { host } of pairs) {
    host.on('message', (data) => {
      const { req_id } = JSON.parse(String(data));
      const at = sentAt.get(req_id);
      if (at === undefined) return;
      sentAt.delete(req_id);
      times.push(performance.now() - at);
      host.send(JSON.stringify({ type: 'ack', req_id }));
    });
  }
  const startedAt = performance.now();
  for (let n = 0; n < perSecond * seconds; ) {
    const due = Math.min(perSecond * seconds, Math.floor(((performance.now() - startedAt) / 1000) * perSecond));
    for (; n < due; n += 1) {
      const req_id = `bench-${n}-${startedAt}`;
      sentAt.set(req_id, performance.now());
      const command = { type: 'command', cmd: 'SEND_SMS', sim: 1, to: '+886912345678', body: 'Bench', req_id };
      pairs[n % PAIRS]?.client.send(JSON.stringify(command));
    }
    await delay(1);
  }
  const arrived = () => sentAt.size === 0;
  for (const end = performance.now() + 10_000; !arrived() && performance.now() < end; ) await delay(5);
  const took = (performance.now() - startedAt) / 1000;
  for (const { client, host } of pairs) {
    client.terminate();
    host.terminate();
  }
  times.sort((a, b) => a - b);
  const part = (share: number): number => times[Math.ceil(times.length * share) - 1] ?? Number.NaN;
  return { perSecond: times.length / took, p50: part(0.5), p99: part(0.99), lost: sentAt.size };
}

/** One after the other: the chat server takes its time for each. */
async function accounts(count: number): Promise<Account[]> {
  const made: Account[] = [];
  while (made.length < count) made.push(await registerAccount('bench'));
  return made;
}

function* pairsOf(account: Account, count: number): Generator<Promise<Pair>> {
  for (let n = 0; n < count; n += 1) yield pairOf(account);
}

async function pairOf({ api, token }: Account): Promise<Pair> {
  const add = async (type: string): Promise<number> => (await api.post('/devices', { name: type, type })).data.id;
  const [host, client] = [await add('host'), await add('client')];
  const { code } = (await api.post(`/pair?host_device_id=${host}`)).data;
  await api.post('/pair/confirm', { code, client_device_id: client });
  return { host: await connect('host', host, token), client: await connect('client', client, token) };
}

async function connect(kind: string, id: number, token: string): Promise<WebSocket> {
  const socket = new WebSocket(`ws://${platform.host}:${platform.ports.api}/ws/${kind}/${id}?token=${token}`);
  await once(socket, 'message');
  return socket;
}
