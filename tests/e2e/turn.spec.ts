/**
 * The relay: whoever has credentials from the API reaches the media server through it, and nothing else of ours.
 */
import { createHmac } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Account, apiClient, registerAccount } from '../support/api.js';
import { without } from '../support/host.js';
import { platform, secret } from '../support/platform.js';
import { type AllocateOptions, TurnClient, type TurnCredentials } from '../support/turn-client.js';
import { UdpEcho } from '../support/turn-echo.js';
import { relayWithUclient } from '../support/turn-uclient.js';
import { until } from '../support/wait.js';

const USER_QUOTA = 10;
const DAY = 86_400;

interface Offer extends TurnCredentials {
  ttl: number;
  uris: [udp: string, tcp: string, tls: string];
}

let account: Account;
let offer: Offer;
let peer: UdpEcho;
const clients: TurnClient[] = [];

const offerTo = async ({ api }: Account): Promise<Offer> => (await api.get('/turn/credentials')).data;
const unixTime = (): number => Math.floor(Date.now() / 1000);

/** What the API would have handed out for that user id. */
function credentialsFor(username: string): TurnCredentials {
  return { username, password: createHmac('sha1', secret('turn_secret')).update(username).digest('base64') };
}

async function connect(credentials?: TurnCredentials, uri = offer.uris[0]): Promise<TurnClient> {
  const client = await TurnClient.connect(uri, credentials);
  clients.push(client);
  return client;
}

async function allocate(credentials?: TurnCredentials, options?: AllocateOptions): Promise<TurnClient> {
  const client = await connect(credentials);
  await client.allocate(options);
  return client;
}

beforeAll(async () => {
  peer = await UdpEcho.open(platform.mediaAddress);
  account = await registerAccount('turn');
  offer = await offerTo(account);
});

/** Relays outlive a UDP client by minutes, and there are only so many: give them back. */
afterAll(async () => {
  for (const client of clients) {
    await client.release().catch(() => undefined);
    client.close();
  }
  peer.close();
});

describe('credentials', () => {
  it('come from the API, for a user id that tells nothing of the account, and for every transport', async () => {
    const [expiry, user] = offer.username.split(':');
    expect(Math.abs(Number(expiry) - unixTime() - offer.ttl)).toBeLessThan(60);
    expect(user).toMatch(/^[0-9a-f-]{36}$/);
    expect(offer.username).not.toContain(account.username);
    expect(offer.password).toBe(credentialsFor(offer.username).password);
    expect(offer.uris).toEqual([
      `turn:localhost:${platform.ports.turn}?transport=udp`,
      `turn:localhost:${platform.ports.turn}?transport=tcp`,
      `turns:localhost:${platform.ports.turnTls}?transport=tcp`,
    ]);
  });

  it('are for those who are logged in', async () => {
    expect((await apiClient().get('/turn/credentials')).status).toBe(401);
  });
});

describe('a relay that has just been set up', () => {
  it('lets everybody in who comes at once', async () => {
    await without('coturn', async () => rmSync(path.join(platform.directory, 'coturn', 'run', 'turndb')));
    const theirs = await offerTo(await registerAccount('early'));
    const first = await Promise.allSettled(Array.from({ length: USER_QUOTA }, () => allocate(theirs)));
    expect(first.filter(({ status }) => status === 'rejected')).toEqual([]);
  });
});

describe('data', () => {
  it.each([
    ['udp', 0],
    ['tcp', 1],
    ['tls', 2],
  ] as const)('reaches the media address and comes back over %s, by indication and by channel', async (_name, uri) => {
    const client = await connect(offer, offer.uris[uri]);
    const relay = await client.allocate();
    expect(relay.address).toBe(platform.mediaAddress);

    await client.permit(peer.endpoint);
    client.send(peer.endpoint, Buffer.from(`indication ${uri}`));
    expect((await client.receive(Buffer.from(`indication ${uri}`))).from).toEqual(peer.endpoint);

    await client.bindChannel(0x4001, peer.endpoint);
    client.sendOnChannel(0x4001, Buffer.from(`channel ${uri}`));
    expect((await client.receive(Buffer.from(`channel ${uri}`))).from).toEqual({ channel: 0x4001 });
    expect(peer.senders.at(-1)).toEqual(relay);
  });

  it('is relayed without loss for coturn’s own client over udp, tcp and tls', async () => {
    const transports = ['udp', 'tcp', 'tls'] as const;
    const counts = await Promise.all(transports.map((way) => relayWithUclient(way, offer, peer.endpoint)));
    expect(counts).toEqual(transports.map(() => ({ sent: 20, received: 20, lost: 0 })));
  });

  it('of a peer without permission does not come in', async () => {
    const client = await connect(offer);
    const relay = await client.allocate();
    const stranger = await UdpEcho.open('127.0.0.3');
    await client.permit(peer.endpoint);
    await stranger.send(Buffer.from('from a stranger'), relay);
    await peer.send(Buffer.from('from the peer'), relay);
    stranger.close();

    await client.receive(Buffer.from('from the peer'));
    expect(client.received).toHaveLength(1);
  });
});

describe('a relay is refused', () => {
  const cases: [who: string, credentials: () => TurnCredentials | undefined][] = [
    ['nobody', () => undefined],
    ['credentials that have expired', () => credentialsFor(`${unixTime() - 60}:${offer.username.split(':')[1]}`)],
    ['an altered password', () => ({ ...offer, password: `A${offer.password.slice(1)}B` })],
    [
      'a prolonged expiry',
      () => ({ ...offer, username: offer.username.replace(/^\d+/, String(unixTime() + 9 * DAY)) }),
    ],
    ['another user’s name', () => ({ ...offer, username: `${offer.username.split(':')[0]}:somebody` })],
    ['a user id without expiry', () => credentialsFor('somebody')],
    ['an empty user id', () => credentialsFor('')],
  ];

  it.each(cases)('to %s', async (_who, credentials) => {
    await expect(allocate(credentials())).rejects.toMatchObject({ code: 401 });
  });

  it('over TCP and over IPv6 to peers, for everybody', async () => {
    await expect(allocate(offer, { protocol: 6 })).rejects.toMatchObject({ code: 442 });
    await expect(allocate(offer, { family: 2 })).rejects.toMatchObject({ code: 440 });
  });
});

describe('a peer is refused', () => {
  let client: TurnClient;

  beforeAll(async () => {
    client = await allocate(await offerTo(await registerAccount('turn')));
  });

  const refused = async (address: string, code: number): Promise<void> => {
    const target = { address, port: 7 };
    await expect(client.permit(target)).rejects.toMatchObject({ code });
    await expect(client.bindChannel(0x4000, target)).rejects.toMatchObject({ code });
  };

  it.each([
    ['this machine', platform.host],
    ['loopback', '127.0.0.3'],
    ['the end of loopback', '127.255.255.255'],
    ['unspecified', '0.0.0.0'],
    ['"this network"', '0.0.0.1'],
    ['private, class A', '10.0.0.1'],
    ['private, class B', '172.16.0.1'],
    ['the end of private, class B', '172.31.255.255'],
    ['private, class C', '192.168.1.1'],
    ['carrier-grade NAT', '100.64.0.1'],
    ['link-local', '169.254.1.1'],
    ['a cloud’s metadata', '169.254.169.254'],
    ['protocol assignments', '192.0.0.8'],
    ['documentation', '203.0.113.1'],
    ['benchmarks', '198.19.255.255'],
    ['multicast', '224.0.0.251'],
    ['reserved', '240.0.0.1'],
    ['broadcast', '255.255.255.255'],
  ])('when it is %s: %s', (_what, address) => refused(address, 403));

  it.each([
    ['IPv4-mapped this machine', `::ffff:${platform.host}`],
    ['IPv4-mapped loopback', '::ffff:127.0.0.3'],
    ['the media address, mapped', `::ffff:${platform.mediaAddress}`],
    ['IPv4-mapped private', '::ffff:10.0.0.1'],
    ['IPv4-compatible private', '::10.0.0.1'],
    ['NAT64 of loopback', '64:ff9b::127.0.0.1'],
    ['6to4 of loopback', '2002:7f00:1::1'],
    ['IPv6 loopback', '::1'],
    ['IPv6 unspecified', '::'],
    ['unique local', 'fd00::1'],
    ['IPv6 link-local', 'fe80::1'],
    ['IPv6 multicast', 'ff02::1'],
  ])('when it is %s: %s', (_what, address) => refused(address, 443));

  it('but not on the public Internet', async () => {
    await client.permit({ address: '198.41.0.4', port: 53 });
  });
});

describe('the quota', () => {
  it('of one user is ten relays, whatever the expiry, and holds until one is given back', async () => {
    const heavy = await offerTo(await registerAccount('heavy'));
    const user = heavy.username.split(':')[1];
    const relays: TurnClient[] = [];
    for (let n = 1; n <= USER_QUOTA; n += 1) {
      relays.push(await allocate(credentialsFor(`${unixTime() + n * DAY}:${user}`)));
    }
    await expect(allocate(heavy)).rejects.toMatchObject({ code: 486 });
    // Nobody else feels it.
    await allocate(await offerTo(await registerAccount('light')));

    await relays[0]!.release();
    await until('the relay that was given back is free', () => allocate(heavy));
  });
});

describe('the log of the relay', () => {
  it('names no account, no credential and no secret, whatever happened', async () => {
    const somebody = await registerAccount('logged');
    const theirs = await offerTo(somebody);
    await allocate(theirs);
    const stranger = `${unixTime() + DAY}:${theirs.username.split(':')[1]}x`;
    await expect(allocate({ username: stranger, password: 'wrong' })).rejects.toMatchObject({ code: 401 });

    const file = path.join(platform.directory, 'log', 'coturn.log');
    // The refusal is logged: what came before it is in the file by then.
    const log = await until('the refusal is in the log', () => {
      const text = readFileSync(file, 'utf8');
      return text.includes(stranger) && text;
    });
    expect(log).not.toContain(somebody.username);
    expect(log).not.toContain(account.username);
    expect(log).not.toContain(theirs.password);
    expect(log).not.toContain(secret('turn_secret'));
  });
});
