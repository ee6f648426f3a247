/**
 * What is secret, and what people write to each other, is where it belongs and nowhere else. Every operation of the API,
 * and every server, gets texts that occur nowhere else in the place of passwords, tokens, codes and messages: rightly, by
 * mistake, and while a neighbour is away. Then all that the servers have written is searched for them.
 */
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Account } from '../support/api.js';
import { Canaries, formsOf } from '../support/canaries.js';
import { brokenRequests, getWrong, OPERATIONS, sendRaw } from '../support/canary-abuse.js';
import { call, canaryAccount, chat, relay } from '../support/canary-life.js';
import { carryOn, clientsOf, closeClients } from '../support/canary-outages.js';
import {
  CONFIGURATION,
  type Lengths,
  lengthsOfLogs,
  programsThatDumpCore,
  searchDatabases,
  searchFiles,
  searchProcesses,
} from '../support/canary-places.js';
import { VISITS } from '../support/canary-visits.js';
import { type Surroundings, Walk } from '../support/canary-walk.js';
import { Google } from '../support/google.js';
import { answers, serverPids, veil, without } from '../support/host.js';
import { MailServer } from '../support/mail-server.js';
import { OwnApi } from '../support/own-api.js';
import { platform, secret } from '../support/platform.js';
import { until } from '../support/wait.js';
import { closeXmppClients } from '../support/xmpp.js';

const { directory, ports } = platform;
const canaries = new Canaries();

let before: Lengths;
let around: Surroundings;
let alice: Account;
let bob: Account;

beforeAll(async () => {
  before = lengthsOfLogs();
  const mailServer = await MailServer.start();
  const google = await Google.start();
  const api = await OwnApi.start({
    ...mailServer.settings,
    ...google.settings,
    REGISTRATION: 'invite',
    LOG_LEVEL: 'debug',
    // Outages are waited for often.
    NEIGHBOUR_TIMEOUT_MS: '2500',
  });
  const { stdout } = await veil('invite', 'create', '--uses', '1000');
  const invite = canaries.learn('invite code', /^code +(\S+)/m.exec(stdout)?.[1] ?? 'no code');
  around = { api, google, mailServer, canaries, invite };
  alice = await canaryAccount(canaries, 'alice');
  bob = await canaryAccount(canaries, 'bob');
});

afterAll(async () => {
  await closeXmppClients();
  await around.api.stop();
  await around.mailServer.stop();
  around.google.stop();
});

describe('the canaries', () => {
  it('visit every operation that the API publishes', () => {
    expect(Object.keys(VISITS).sort()).toEqual([...OPERATIONS.keys()].sort());
  });

  it('are let in by each', async () => {
    const walk = new Walk(around);
    for (const [operation, { request, learn }] of Object.entries(VISITS)) {
      const answer = await walk.request(operation, await request(walk));
      expect([operation, answer.status < 300 ? 'ok' : answer.data]).toEqual([operation, 'ok']);
      await learn?.(walk, answer);
    }
  });

  it('live on every server: they chat, call, relay, and get it wrong', async () => {
    const device = { jid: alice.jid, device_id: 'phone', platform: 'ios', app_id: 'com.example.veil' };
    await alice.api.post('/push/register', { ...device, push_token: canaries.make('push token') });
    await chat(canaries, alice, bob);
    await call(canaries, alice, bob);
    await relay(canaries, alice);
  });

  it('are refused wherever clients leave them by mistake', async () => {
    const { port, internalPort } = around.api;
    const listeners = [
      { port, token: alice.token },
      { port: internalPort, token: secret('internal_secret') },
    ];
    for (const operation of OPERATIONS.keys()) {
      for (const listener of listeners) {
        const statuses = (await getWrong(canaries, operation, listener)).map(({ status }) => status);
        expect([operation, statuses.filter((status) => status >= 500)]).toEqual([operation, []]);
      }
    }
    for (const listening of [ports.api, ports.apiInternal, port, ports.xmppWs, ports.xmppApi, ports.sipRpc]) {
      for (const bytes of brokenRequests(canaries)) await sendRaw(listening, bytes);
    }
  });

  it.each(['ejabberd', 'postgres', 'rtpengine'] as const)('come while %s is away, and as it goes', async (server) => {
    const clients = await clientsOf(alice, bob);
    const carryOnNow = () => carryOn(around, clients);
    const begun = await Promise.all([carryOnNow(), without(server, carryOnNow)]);
    for (const { pending } of begun) await pending;
    await closeClients(clients);
  });

  it('are in the memory of servers, of which none leaves its memory in a file', async () => {
    expect(programsThatDumpCore()).toEqual([]);
    const { ejabberd } = await serverPids();
    process.kill(ejabberd, 'SIGUSR1');
    await until('ejabberd has another process', async () => ![0, ejabberd].includes((await serverPids()).ejabberd));
    await until('ejabberd answers', () => answers('ejabberd'));
  });
});

describe('afterwards', () => {
  beforeAll(async () => {
    // Its last lines are written when it ends.
    await around.api.stop();
    await without('api', async () => undefined);
    for (const name of readdirSync(path.join(directory, 'secrets'))) canaries.learn(`the ${name}`, secret(name));
  });

  it('none is in a log, a dump or any other file', async () => {
    const sightings = await searchFiles(canaries, before);
    // Each server's configuration has the secrets of that server, and nothing of a person.
    const configured = sightings.filter(({ place }) => CONFIGURATION.test(place)).flatMap(({ names }) => names);
    expect(configured.filter((name) => !/^the \w+_(secret|password)$/.test(name))).toEqual([]);
    const elsewhere = sightings.filter(({ place }) => !CONFIGURATION.test(place));
    expect([elsewhere, canaries.linesWith(around.api.log)]).toEqual([[], []]);
  });

  it('none is in a command line or an environment, but for the one that Kamailio reads there', () => {
    const sightings = searchProcesses(canaries).filter(({ place }) => place !== 'kamailio environ');
    expect(sightings).toEqual([]);
    const ofKamailio = searchProcesses(canaries).flatMap(({ names }) => names);
    expect([...new Set(ofKamailio)]).toEqual(['the internal_secret']);
  });

  it('those that are in the databases are in the columns that are for them', async () => {
    const messages = ['chat message', 'group message', 'offline message'];
    const sightings = await searchDatabases(canaries);
    // A client names its devices as it likes; what it then proves nothing for is forgotten after minutes.
    const lasting = sightings.filter(({ place }) => place !== 'device_challenges.device_id');
    const certain = lasting.map(({ place, names }) => {
      const isMessage = ['archive.txt', 'archive.xml', 'spool.xml'].includes(place);
      return [place, names.filter((name) => !isMessage || name !== 'message during an outage')];
    });
    expect(Object.fromEntries(certain)).toEqual({
      'archive.txt': messages,
      'archive.xml': messages,
      'pubsub_item.payload': ['item'],
      'push_registrations.push_token': ['push token', 'push token by SIP'],
      'spool.xml': ['offline message'],
      'subscriber.ha1': ['digest hash'],
      'subscriber.ha1b': ['digest hash'],
    });
  });

  it('any of them would be found, whatever it looks like there', async () => {
    const planted = canaries.make('planted');
    const basic = Buffer.from(`alice:${planted}`).toString('base64');
    const broken = `<<"${planted.slice(0, 12)}"\n  "${planted.slice(12)}">>`;
    const files = [...formsOf(planted), basic, broken].map((form, index) => {
      const place = `log/planted-${index}.log`;
      writeFileSync(path.join(directory, place), `something "${form}" else`);
      return place;
    });
    const sightings = await searchFiles(canaries, before);
    for (const place of files) {
      expect(sightings).toContainEqual(expect.objectContaining({ place, names: ['planted'] }));
      rmSync(path.join(directory, place));
    }
  });
});
