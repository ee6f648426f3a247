import { Agent, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { type Account, registerAccount, uniqueName } from '../../support/api.js';
import { platform, secret } from '../../support/platform.js';
import { addressOf, type Exchange } from '../../support/sip-client.js';
import type { SipRequest } from '../../support/sip-message.js';
import { BenchPhone } from './phone.js';

/**
 * Calls that wait for their callees: how many at once, and how soon a device that wakes has its call. Without media: the
 * relay has ports for fewer. Run by scripts/bench.sh calls.
 */
const CALLS = 1000;
/** As many as an account may begin at once. */
const CALLS_OF_CALLER = 8;
const PER_SECOND = 50;
const NOTICES = 2000;
const NOTICES_PER_SECOND = 200;

interface BenchCall {
  caller: BenchPhone;
  callee: BenchPhone;
  exchange: Exchange;
}

const rows: string[][] = [['what', 'p50', 'p99', 'goal']];

function percentile(values: readonly number[], part: number): string {
  const sorted = values.toSorted((a, b) => a - b);
  return `${(sorted[Math.ceil(sorted.length * part) - 1] ?? Number.NaN).toFixed(1)} ms`;
}

const row = (what: string, times: readonly number[], goal: string): void => {
  rows.push([what, percentile(times, 0.5), percentile(times, 0.99), goal]);
};

/** Begins a piece of work so often in a second, whether or not those before have ended. */
async function paced<T>(count: number, perSecond: number, work: (n: number) => Promise<T>): Promise<T[]> {
  const startedAt = performance.now();
  const results: Promise<T>[] = [];
  for (let n = 0; n < count; n += 1) {
    const early = startedAt + (n * 1000) / perSecond - performance.now();
    if (early > 0) await delay(early);
    const result = work(n);
    result.catch(() => {});
    results.push(result);
  }
  return Promise.all(results);
}

/** Accounts, a few at a time: the chat server takes its time for each password. */
async function accounts(count: number, prefix: string): Promise<Account[]> {
  const made: Account[] = [];
  while (made.length < count) {
    made.push(...(await Promise.all(Array.from({ length: 4 }, () => registerAccount(prefix)))));
  }
  return made.slice(0, count);
}

const openPhones = (owners: Account[], net: number): Promise<BenchPhone[]> =>
  Promise.all(owners.map((owner, n) => BenchPhone.open(owner, `127.${net}.${Math.floor(n / 250)}.${1 + (n % 250)}`)));

/** Calls without an offer. @returns how long the caller waits to hear it ring */
async function call(caller: BenchPhone, callee: BenchPhone): Promise<{ call: BenchCall; ringsAfter: number }> {
  const { client } = caller;
  const uri = addressOf(callee.client.credentials.username);
  const identity = { callId: uniqueName('call'), fromTag: uniqueName('tag') };
  const first = client.send('INVITE', uri, identity);
  const { message: challenge } = await caller.response(first.request, (status) => status >= 200);
  client.acknowledge(first, challenge);
  const startedAt = performance.now();
  const authorization = client.answer(challenge, 'INVITE', uri);
  const exchange = client.send('INVITE', uri, { ...identity, sequence: 2, headers: [authorization] });
  const { at } = await caller.response(exchange.request, (status) => status === 180);
  return { call: { caller, callee, exchange }, ringsAfter: at - startedAt };
}

/** The callee's device wakes: it registers, with its password. @returns how long it waits for the INVITE after that */
async function wake(phone: BenchPhone): Promise<{ invite: SipRequest; waited: number }> {
  const { client } = phone;
  const registrar = `sip:${platform.domain}`;
  const options = { to: client.address, callId: uniqueName('reg'), fromTag: uniqueName('tag') };
  const contact: [string, string][] = [
    ['Contact', client.contact],
    ['Expires', '300'],
  ];
  const first = client.send('REGISTER', registrar, { ...options, headers: contact });
  const { message: challenge } = await phone.response(first.request, (status) => status >= 200);
  const arrives = phone.request('INVITE');
  const startedAt = performance.now();
  const headers = [...contact, client.answer(challenge, 'REGISTER', registrar)];
  client.send('REGISTER', registrar, { ...options, sequence: 2, headers });
  const { message: invite, at } = await arrives;
  return { invite, waited: at - startedAt };
}

/** Answers, confirms, and hangs up. */
async function answer({ caller, callee, exchange }: BenchCall, invite: SipRequest): Promise<void> {
  const answered = caller.response(exchange.request, (status) => status >= 200);
  const farewell = callee.request('BYE');
  callee.client.reply(invite, 200, { tag: uniqueName('tag') });
  const { message: final } = await answered;
  if (final.status !== 200) throw new Error(`a call ended with ${final.status}`);
  caller.client.withinCall({ ...exchange, final }, 'ACK');
  const bye = caller.client.withinCall({ ...exchange, final }, 'BYE');
  const ended = caller.response(bye.request, (status) => status === 200);
  callee.client.reply((await farewell).message, 200);
  await ended;
}

async function benchHeldCalls(): Promise<void> {
  const callers = await openPhones(await accounts(CALLS / CALLS_OF_CALLER, 'caller'), 1);
  const callees = await openPhones(await accounts(CALLS, 'callee'), 2);
  // Each caller calls again only when all others have: nobody sends faster than a phone does.
  const held = await paced(CALLS, PER_SECOND, (n) => call(callers[n % callers.length]!, callees[n]!));
  row(
    'INVITE → 180 of a held call',
    held.map(({ ringsAfter }) => ringsAfter),
    '',
  );
  let answered = 0;
  const woken = await paced(CALLS, PER_SECOND, async (n) => {
    const { invite, waited } = await wake(callees[n]!);
    await answer(held[n]!.call, invite);
    answered += 1;
    return waited;
  });
  row('REGISTER → INVITE at the device, with authentication and database', woken, 'p99 < 10 ms');
  rows.push([`${CALLS} calls held at once, woken, answered`, '', `${answered}`, 'none lost']);
  for (const phone of [...callers, ...callees]) phone.close();
}

const agent = new Agent({ keepAlive: true });
const authorization = `Bearer ${secret('internal_secret')}`;

/** @returns how long the call server would wait, in milliseconds */
function notice(body: object): Promise<number> {
  const startedAt = performance.now();
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', authorization };
    const options = { host: '127.0.0.1', port: platform.ports.apiInternal, path: '/api/v1/push/call-notify' };
    const sent = request({ ...options, method: 'POST', agent, headers }, (answer) => {
      answer.resume().once('end', () => {
        if (answer.statusCode === 202) resolve(performance.now() - startedAt);
        else reject(new Error(`the webhook answered ${answer.statusCode}`));
      });
    });
    sent.once('error', reject);
    sent.end(JSON.stringify(body));
  });
}

async function benchWebhook(): Promise<void> {
  const [caller, ...called] = await accounts(20, 'bench');
  for (const { jid, api } of called) {
    await api.post('/push/register', {
      jid,
      device_id: 'd',
      platform: 'ios',
      push_token: 'a1b2',
      app_id: 'com.example',
    });
  }
  const body = (n: number) => ({
    ...{ caller_username: caller!.username, callee_username: called[n % called.length]!.username },
    ...{ call_id: uniqueName('notice'), call_type: 'audio' },
  });
  await paced(NOTICES_PER_SECOND, NOTICES_PER_SECOND, (n) => notice(body(n)));
  const times = await paced(NOTICES, NOTICES_PER_SECOND, (n) => notice(body(n)));
  row(`POST /push/call-notify at ${NOTICES_PER_SECOND}/s`, times, 'p99 < 20 ms');
}

await benchWebhook();
await benchHeldCalls();
for (const [index, cells] of rows.entries()) {
  console.log(`| ${cells.join(' | ')} |`);
  if (index === 0) console.log(`|${cells.map(() => '---').join('|')}|`);
}
process.exit(0);
