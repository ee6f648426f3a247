/**
 * What a device may do wrong over the WebSockets of signalling and of the relay ends its own connection, with the code that
 * says why; the other devices go on. And nothing of it is a way for a token into the log.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { memoryKb } from '../bench/realtime/target.js';
import { type Account, registerAccount, uniqueName } from '../support/api.js';
import { OwnApi } from '../support/own-api.js';
import { SocketClient } from '../support/socket-client.js';
import { until } from '../support/wait.js';

const KIB = 1024;
let api: OwnApi;
let alice: Account;
let bob: Account;
const clients: SocketClient[] = [];

beforeAll(async () => {
  // Limits as in earnest.
  api = await OwnApi.start({ RATE_LIMIT_FACTOR: '1', LOG_LEVEL: 'debug' });
  [alice, bob] = [await registerAccount(), await registerAccount()];
});
afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});
afterAll(() => api.stop());

/** A protocol, as its clients use it. */
interface Protocol {
  readonly name: string;
  /** The largest frame that is read at all. */
  readonly most: number;
  /** The address of a new device. */
  device(owner: Account): Promise<string>;
  /** Asks for something and requires the answer. */
  use(client: SocketClient): Promise<void>;
}

const SIGNALLING: Protocol = {
  name: '/signal',
  most: 256 * KIB,
  async device({ api: rest, token }) {
    const device_id = uniqueName('device');
    await rest.post('/devices/register', { device_id, pubkey: 'key' });
    return `/signal?device_id=${device_id}&token=${token}`;
  },
  async use(client) {
    client.send({ type: 'offer', target_device_id: 'nobody', payload: {}, id: 'x' });
    expect(await client.next()).toMatchObject({ reason: 'target-unavailable', id: 'x' });
  },
};

const RELAY: Protocol = {
  name: '/ws/client',
  most: 64 * KIB,
  async device({ api: rest, token }) {
    const { data } = await rest.post('/devices', { name: 'a client', type: 'client' });
    return `/ws/client/${data.id}?token=${token}`;
  },
  async use(client) {
    client.send({ type: 'ping' });
    let answer = await client.next();
    // News of the other devices, and pings, come when it is time.
    while (answer.type !== 'pong') answer = await client.next();
  },
};

async function connect(protocol: Protocol, owner: Account): Promise<SocketClient> {
  const client = await SocketClient.connect(await protocol.device(owner), {}, api.port);
  clients.push(client);
  expect(await client.next()).toMatchObject({ type: 'connected' });
  return client;
}

type Abuse = [what: string, code: number, abuse: (client: SocketClient, protocol: Protocol) => void];

const ABUSES: Abuse[] = [
  ['a frame that is too large', 1009, ({ socket }, { most }) => socket.send(`{"x":"${'x'.repeat(most)}"}`)],
  [
    'fragments that are too large together',
    1009,
    ({ socket }, { most }) => {
      for (let sent = 0; sent <= most; sent += 8 * KIB) socket.send('x'.repeat(8 * KIB), { fin: false });
    },
  ],
  ['a binary frame', 1003, ({ socket }) => socket.send(Buffer.from('{"type":"ping"}'))],
  [
    'text that is no UTF-8',
    1007,
    ({ socket }) => socket.send(Buffer.from([0x22, 0xc3, 0x28, 0x22]), { binary: false }),
  ],
  [
    'fragments without end',
    1008,
    ({ socket }) => {
      for (let n = 0; n < 1100; n += 1) socket.send('', { fin: false });
    },
  ],
  [
    'a flood',
    1008,
    (client) => {
      for (let n = 0; n < 3000; n += 1) client.send('{}');
    },
  ],
  ['a flood of pongs', 1008, pongs],
  ['a flood of pings', 1006, pings],
];

function pongs({ socket }: SocketClient): void {
  for (let n = 0; n < 3000; n += 1) socket.pong();
}

function pings({ socket }: SocketClient): void {
  for (let n = 0; n < 3000; n += 1) socket.ping();
}

describe.each([SIGNALLING, RELAY])('$name', (protocol) => {
  it.each(ABUSES)('ends with %s (%d), and others go on', async (_what, code, abuse) => {
    const [neighbour, other, abuser] = [
      await connect(protocol, alice),
      await connect(protocol, bob),
      await connect(protocol, alice),
    ];
    abuse(abuser, protocol);
    expect((await abuser.end()).code).toBe(code);
    for (const client of [neighbour, other]) {
      await protocol.use(client);
      expect(client.closed).toBeUndefined();
    }
  });

  it('puts fragments together, and answers what is no JSON', async () => {
    const client = await connect(protocol, alice);
    client.socket.send('{', { fin: false });
    client.socket.send('"type"', { fin: false });
    client.socket.send(':', { fin: true });
    expect(await client.next()).toMatchObject(protocol === RELAY ? { error: 'invalid JSON' } : { type: 'error' });
    await protocol.use(client);
  });
});

it.each([
  ['pongs', 1008, pongs],
  ['pings', 1006, pings],
])('who has not said who he is can send no flood of %s', async (_what, code, abuse) => {
  const client = await SocketClient.connect('/signal', {}, api.port);
  clients.push(client);
  abuse(client);
  expect((await client.end()).code).toBe(code);
});

it('who reads nothing is cut off, and takes no memory, however much is sent to it', async () => {
  const address = await SIGNALLING.device(alice);
  const reader = await SocketClient.connect(address, {}, api.port);
  const senders = await Promise.all([1, 2, 3, 4].map(() => connect(SIGNALLING, alice)));
  clients.push(reader);
  const target_device_id = new URL(address, 'ws://api').searchParams.get('device_id');
  await SIGNALLING.use(senders[0]!);
  const before = memoryKb(api.pid);
  reader.socket.pause();
  // 200 MB in all.
  const payload = { sdp: 'x'.repeat(60 * KIB) };
  for (const sender of senders) {
    for (let n = 0; n < 850; n += 1) sender.send({ type: 'offer', target_device_id, payload, id: String(n) });
  }
  const last = (sender: SocketClient) => sender.frames.find(({ id }) => id === '849');
  await until('all are answered', () => senders.every(last));
  expect(await api.metric('veil_sockets_closed_total', 'protocol="signal",code="slow"')).toBe(1);
  expect(senders.map(last)).toEqual(senders.map(() => expect.objectContaining({ reason: 'target-unavailable' })));
  expect(memoryKb(api.pid) - before).toBeLessThan(100 * KIB);
});

it('tokens are in no log, however they came', async () => {
  const [addresses, nobody] = [[await SIGNALLING.device(alice), await RELAY.device(alice)], '/ws/host/0?token='];
  for (const address of addresses) {
    const client = await SocketClient.connect(address, {}, api.port);
    clients.push(client);
    client.send('nonsense');
    // A frame that fails, a path that is none, a device that there is none of, and a token that is none.
    for (const wrong of [`/nowhere${address}`, `${nobody}${alice.token}`, `${nobody}${alice.token}x`]) {
      await expect(SocketClient.connect(wrong, {}, api.port)).rejects.toThrow('refused with 40');
    }
  }
  const byFrame = await SocketClient.connect('/signal', {}, api.port);
  byFrame.send({ type: 'auth', token: bob.token, device_id: 'nobody' });
  expect((await byFrame.end()).code).toBe(1008);
  // What is logged at all is there.
  await api.stop();
  expect(api.log).toContain('"level"');
  for (const { token } of [alice, bob]) expect(api.log).not.toContain(token);
});
