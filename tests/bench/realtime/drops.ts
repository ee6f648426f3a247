import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import WebSocket from 'ws';
import { registerAccount } from '../../support/api.js';
import { writeToVeil } from '../../support/databases.js';
import { platform } from '../../support/platform.js';

const CLIENTS_OF_HOST = 95;

/** How long clients stay, how long they are away, and how often there is news for them, in milliseconds. */
export interface Rhythm {
  up: number;
  down: number;
  event: number;
}

export interface DropsMeasured {
  clients: number;
  /** Events that clients were owed, got, and got more than once. */
  owed: number;
  got: number;
  doubled: number;
}

/** A client that comes and goes, and what it has got. */
class Dropper {
  readonly got = new Map<number, number>();
  private socket: WebSocket | undefined;

  constructor(
    private readonly id: string,
    private readonly token: string,
  ) {}

  /** Tries until it is let in, as apps do. */
  async connect(): Promise<void> {
    while (!(await this.open())) await delay(500);
  }

  private async open(): Promise<boolean> {
    const socket = new WebSocket(urlOf('client', this.id, this.token));
    socket.on('error', () => {});
    socket.on('message', (data) => {
      const { event, n } = JSON.parse(String(data));
      if (event === 'INCOMING_SMS') this.got.set(n, (this.got.get(n) ?? 0) + 1);
    });
    this.socket = socket;
    const [opened] = await Promise.race([
      once(socket, 'open').then(
        () => [true],
        () => [false],
      ),
      once(socket, 'close').then(() => [false]),
    ]);
    return opened === true;
  }

  /** Cut off, as by a network that is gone. */
  drop(): void {
    this.socket?.terminate();
  }

  /** Drops again and again, each at a time of its own. */
  async live(until: number, phase: number, { up, down }: Rhythm): Promise<void> {
    await delay(phase);
    await this.connect();
    for (;;) {
      const left = until - performance.now();
      await delay(Math.min(up, Math.max(0, left)));
      if (left <= up) return;
      this.drop();
      await delay(down);
      await this.connect();
    }
  }
}

const urlOf = (kind: string, id: string, token: string): string =>
  `ws://${platform.host}:${platform.ports.api}/ws/${kind}/${id}?token=${token}`;

/** Clients that drop again and again, while their hosts tell of messages: how many of these they get in the end. */
export async function measureDrops(clients: number, seconds: number, rhythm: Rhythm): Promise<DropsMeasured> {
  const hosts: WebSocket[] = [];
  const droppers: Dropper[] = [];
  while (droppers.length < clients) {
    const household = await makeHousehold(Math.min(CLIENTS_OF_HOST, clients - droppers.length));
    hosts.push(household.host);
    droppers.push(...household.droppers);
  }
  const until = performance.now() + seconds * 1000;
  const lives = droppers.map((dropper, index) => dropper.live(until, (index * rhythm.up) / clients, rhythm));
  let told = 0;
  for (; performance.now() < until; told += 1) {
    const text = JSON.stringify({ type: 'event', event: 'INCOMING_SMS', sim: 1, from: '+1', body: 'Bench', n: told });
    for (const host of hosts) host.send(text);
    await delay(rhythm.event);
  }
  await Promise.all(lives);
  const missing = () => droppers.filter(({ got }) => got.size < told).length;
  for (const end = performance.now() + 15_000; missing() > 0 && performance.now() < end; ) await delay(100);
  for (const socket of [...hosts]) socket.terminate();
  for (const dropper of droppers) dropper.drop();
  const counts = droppers.flatMap(({ got }) => [...got.values()]);
  const doubled = counts.filter((count) => count > 1).length;
  return { clients, owed: told * clients, got: counts.length, doubled };
}

/** An account with a host, and clients that are paired with it; by SQL, since it is not what is measured. */
async function makeHousehold(clients: number): Promise<{ host: WebSocket; droppers: Dropper[] }> {
  const { api, token, username } = await registerAccount('drop');
  const { data } = await api.post('/devices', { name: 'Home', type: 'host' });
  const hostId = String(data.id);
  const ids = Array.from({ length: clients }, (_, n) => `${username}-${n}`);
  await writeToVeil(async (sql) => {
    await sql`
      INSERT INTO devices (id, account_id, name, kind, created_at)
      SELECT client, d.account_id, 'Bench', 'client', now() FROM devices d, unnest(${ids}::text[]) AS client
      WHERE d.id = ${hostId}`;
    await sql`
      INSERT INTO pairings (account_id, host_device_id, client_device_id, created_at)
      SELECT d.account_id, d.id, client, now() FROM devices d, unnest(${ids}::text[]) AS client WHERE d.id = ${hostId}`;
  });
  const host = new WebSocket(urlOf('host', hostId, token));
  await once(host, 'open');
  return { host, droppers: ids.map((id) => new Dropper(id, token)) };
}
