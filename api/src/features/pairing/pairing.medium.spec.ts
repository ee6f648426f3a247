import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type supertest from 'supertest';
import { type CountedBy, RateLimiter } from '../../http/rate-limiter.js';
import { RATE_LIMITS, type RateLimitName } from '../../http/rate-limits.js';
import { Bus } from '../../realtime/bus.js';
import { TestApp } from '../../testing/app.js';
import { FakeClock } from '../../testing/clock.js';
import { PairedDevices } from './paired-devices.js';
import { PairingService } from './pairing.service.js';

type Account = Awaited<ReturnType<TestApp['register']>>;

let app: TestApp;
const clock = new FakeClock();
let alice: Account;
let host: number;
let client: number;

beforeAll(async () => {
  clock.advance(Date.now() - clock.milliseconds());
  app = await TestApp.start({}, {}, clock);
});
afterAll(() => app.stop());

beforeEach(async () => {
  alice = await app.register('alice');
  // The session is that of its first device, and ends with it.
  host = await device(alice, 'host');
  client = await device(alice, 'client');
});

async function device({ bearer }: Account, type: 'host' | 'client'): Promise<number> {
  const { body } = await app.http
    .post('/devices')
    .set(bearer)
    .send({ name: `a ${type}`, type });
  return body.id;
}

const ask = (hostId: number | string = host, { bearer } = alice) =>
  app.http.post(`/pair?host_device_id=${hostId}`).set(bearer);

const codeOf = async (hostId = host, account = alice): Promise<string> => (await ask(hostId, account)).body.code;

const confirm = (code: unknown, clientId: unknown = client, { bearer } = alice) =>
  app.http.post('/pair/confirm').set(bearer).send({ code, client_device_id: clientId });

/** Another code than this one. */
const wrong = (code: string, by = 1): string => String((Number(code) + by) % 1_000_000).padStart(6, '0');

const pairings = async () => (await app.http.get('/pairings').set(alice.bearer)).body;

describe('pairing', () => {
  it('pairs a client with the host that shows the code, as the apps ask for it', async () => {
    const { status, body } = await ask();
    expect({ status, body }).toEqual({
      status: 200,
      body: { code: expect.stringMatching(/^\d{6}$/), expires_in_seconds: 600 },
    });
    const paired = await confirm(body.code);
    expect(paired.status).toBe(200);
    expect(paired.body).toEqual({ status: 'paired', pairing_id: expect.any(Number), host_device_id: host });
    expect(await pairings()).toEqual([
      {
        id: paired.body.pairing_id,
        host_device_id: host,
        client_device_id: client,
        created_at: clock.now().toISOString(),
      },
    ]);
  });

  it('takes the client as number or text, below the base path too', async () => {
    const code = await codeOf();
    const { status } = await app.http
      .post('/api/v1/pair/confirm')
      .set(alice.bearer)
      .send({ code, client_device_id: String(client) });
    expect(status).toBe(200);
  });

  it('says so when they are paired already', async () => {
    const first = await confirm(await codeOf());
    const { body } = await confirm(await codeOf());
    expect(body).toEqual({ status: 'already_paired', pairing_id: first.body.pairing_id, host_device_id: host });
  });

  it('keeps no code that can be read, and none that has expired', async () => {
    const code = await codeOf();
    const [row] = await app.database.sql`SELECT * FROM pairing_codes WHERE host_device_id = ${String(host)}`;
    expect(row?.code_hash).toHaveLength(32);
    expect(JSON.stringify(row)).not.toContain(code);
    clock.advance(601_000);
    await app.app.get(PairingService).removeExpired(1);
    expect(await app.database.sql`SELECT FROM pairing_codes`).toHaveLength(0);
  });
});

describe('a code', () => {
  it('answers the same when it is wrong, of another account, used, voided or expired', async () => {
    const bob = await app.register('bob');
    const foreign = await codeOf(await device(bob, 'host'), bob);
    const [voided, used] = [await codeOf(), await codeOf()];
    await confirm(used);
    const expired = await codeOf();
    clock.advance(600_000);
    const answers = [];
    for (const code of [wrong(expired), foreign, used, voided, expired, 'abcdef', '1234567']) {
      const { status, body } = await confirm(code);
      answers.push({ status, code: body.code, detail: body.detail });
    }
    const same = { status: 400, code: 'invalid_code', detail: 'Invalid or expired pairing code' };
    expect(answers).toEqual(answers.map(() => same));
    expect(await pairings()).toHaveLength(1);
  });

  it('is burnt after five wrong tries', async () => {
    const code = await codeOf();
    for (let by = 1; by <= 4; by += 1) await confirm(wrong(code, by));
    expect((await confirm(code)).status).toBe(200);
    const second = await codeOf();
    for (let by = 1; by <= 5; by += 1) await confirm(wrong(second, by));
    expect((await confirm(second)).status).toBe(400);
  });

  it('is burnt after five wrong tries at the same time as well', async () => {
    const code = await codeOf();
    await Promise.all(Array.from({ length: 20 }, (_, index) => confirm(wrong(code, index + 1))));
    const [row] = await app.database.sql`SELECT wrong_tries FROM pairing_codes WHERE host_device_id = ${String(host)}`;
    expect(row).toEqual({ wrong_tries: 5 });
    expect((await confirm(code)).status).toBe(400);
  });

  it('pairs once, however many use it at once', async () => {
    const code = await codeOf();
    const answers = await Promise.all(Array.from({ length: 50 }, () => confirm(code)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 400)).toHaveLength(49);
    expect(await pairings()).toHaveLength(1);
  });

  it('is for hosts and clients of the caller only', async () => {
    const bob = await app.register('bob');
    const [bobsHost, bobsClient] = await Promise.all([device(bob, 'host'), device(bob, 'client')]);
    for (const id of [client, bobsHost, 999_999, 'x y', '']) {
      const { status, body } = await ask(id);
      expect([status, body.detail]).toEqual([404, 'Host device not found']);
    }
    const code = await codeOf();
    for (const id of [host, bobsClient, 999_999]) {
      const { status, body } = await confirm(code, id);
      expect([status, body.detail]).toEqual([404, 'Client device not found']);
    }
    expect((await confirm(code)).status).toBe(200);
  });

  it.each([{}, { code: '123456' }, { code: 123_456, client_device_id: 1 }, { code: '1', client_device_id: {} }])(
    'is not looked at in %j',
    async (body) => {
      expect((await app.http.post('/pair/confirm').set(alice.bearer).send(body)).status).toBe(422);
    },
  );
});

describe('the end of a pairing', () => {
  const peers = () => app.app.get(PairedDevices).of(String(host));

  it('is known at once', async () => {
    const { body } = await confirm(await codeOf());
    expect(await peers()).toEqual([String(client)]);
    const { status, body: answer } = await app.http.delete(`/pairings/${body.pairing_id}`).set(alice.bearer);
    expect({ status, answer }).toEqual({ status: 200, answer: { status: 'unpaired' } });
    expect(await peers()).toEqual([]);
  });

  it("is not another's to decide", async () => {
    const { body } = await confirm(await codeOf());
    const bob = await app.register('bob');
    for (const id of [body.pairing_id, 999_999, 99_999_999_999, 'x']) {
      expect((await app.http.delete(`/pairings/${id}`).set(bob.bearer)).status).toBe(404);
    }
    expect(await peers()).toEqual([String(client)]);
  });

  it('comes with that of a device or of the account', async () => {
    await confirm(await codeOf());
    expect(await peers()).toEqual([String(client)]);
    const news = jest.spyOn(app.app.get(Bus), 'publish');
    await app.http.delete(`/devices/${client}`).set(alice.bearer);
    expect(await pairings()).toEqual([]);
    // At once, and other processes are told.
    expect(await peers()).toEqual([]);
    expect(news).toHaveBeenCalledWith('pairings', JSON.stringify([String(client), String(host)]));
    await confirm(await codeOf(), await device(alice, 'client'));
    await codeOf();
    await app.http.delete('/api/v1/account').set(alice.bearer).send({ jid: alice.jid, password: alice.password });
    await app.finishRemovals();
    expect(await app.database.sql`SELECT FROM pairings WHERE account_id = ${alice.id}`).toHaveLength(0);
    expect(await app.database.sql`SELECT FROM pairing_codes WHERE account_id = ${alice.id}`).toHaveLength(0);
  });
});

describe('a device that is removed at the same time', () => {
  /** Makes a request while the removal is not done yet, and lets it be done when the request waits for it. */
  async function meanwhile(removed: number, request: () => Promise<supertest.Response>): Promise<supertest.Response> {
    const answer = Promise.withResolvers<supertest.Response>();
    await app.database.sql.begin(async (transaction) => {
      await transaction`DELETE FROM devices WHERE id = ${String(removed)}`;
      request().then(answer.resolve, answer.reject);
      await untilOneWaits();
    });
    return answer.promise;
  }

  async function untilOneWaits(): Promise<void> {
    const deadline = performance.now() + 10_000;
    while (performance.now() < deadline) {
      const waiting = await app.database.sql`
        SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
      if (waiting.length > 0) return;
    }
    throw new Error('no request waits for the removal');
  }

  it('is not found as host', async () => {
    const { status, body } = await meanwhile(host, () => ask().then());
    expect([status, body.detail]).toEqual([404, 'Host device not found']);
  });

  it('is not found as client, and the code is good for another', async () => {
    const code = await codeOf();
    const { status, body } = await meanwhile(client, () => confirm(code).then());
    expect([status, body.detail]).toEqual([404, 'Client device not found']);
    expect((await confirm(code, await device(alice, 'client'))).status).toBe(200);
  });

  it('is no host to pair with', async () => {
    const code = await codeOf();
    const { status, body } = await meanwhile(host, () => confirm(code).then());
    expect([status, body.code]).toEqual([400, 'invalid_code']);
  });
});

describe('the limits on pairing', () => {
  let strict: TestApp;
  const time = new FakeClock();
  beforeAll(async () => {
    time.advance(Date.now() - time.milliseconds());
    strict = await TestApp.start({ RATE_LIMIT_FACTOR: '1' }, {}, time);
  });
  beforeEach(() => time.advance(600_000));
  afterAll(() => strict.stop());

  /** Uses a limit up, as others would. */
  function useUp(name: RateLimitName, by: CountedBy): void {
    for (let call = 0; call < RATE_LIMITS[name].calls; call += 1) strict.app.get(RateLimiter).take(name, by);
  }
  const tryCode = async ({ bearer }: Account) =>
    strict.http.post('/pair/confirm').set(bearer).send({ code: '000000', client_device_id: 'none' });

  it('count by device and by account', async () => {
    const { bearer } = await strict.register('carol');
    const make = async (type: string): Promise<number> =>
      (await strict.http.post('/devices').set(bearer).send({ name: type, type })).body.id;
    const clients = [await make('client'), await make('client'), await make('client')];
    const statuses = new Map<number, number[]>();
    for (const id of clients) {
      for (let attempt = 0; attempt < 11; attempt += 1) {
        const { status } = await strict.http
          .post('/pair/confirm')
          .set(bearer)
          .send({ code: '000000', client_device_id: id });
        statuses.set(id, [...(statuses.get(id) ?? []), status]);
      }
    }
    const refused = clients.map((id) => statuses.get(id)?.filter((status) => status === 429).length);
    // Ten of a device; twenty of an account.
    expect(refused).toEqual([1, 1, 11]);
  });

  it.each<[RateLimitName, CountedBy]>([
    ['pairing_of_address', { address: '127.0.0.1' }],
    ['pairing', { server: '' }],
  ])('count tries of all accounts: %s', async (name, by) => {
    const dave = await strict.register('dave');
    expect((await tryCode(dave)).status).toBe(404);
    time.advance(600_000);
    useUp(name, by);
    const { status, headers } = await tryCode(dave);
    expect([status, headers['retry-after']]).toEqual([429, '600']);
  });

  it('count the codes of an account', async () => {
    const { bearer } = await strict.register('erin');
    const { body } = await strict.http.post('/devices').set(bearer).send({ name: 'a host', type: 'host' });
    const { calls } = RATE_LIMITS.pairing_code;
    const statuses: number[] = [];
    for (let code = 0; code <= calls; code += 1) {
      statuses.push((await strict.http.post(`/pair?host_device_id=${body.id}`).set(bearer)).status);
    }
    expect(statuses).toEqual([...Array.from({ length: calls }, () => 200), 429]);
  });
});
