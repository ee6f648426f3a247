/**
 * The doctor: when all is well it says so, when something is not it names it, what that means and what to do, and
 * whatever happens it leaves nothing behind.
 */
import { chmodSync, readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ApiFront } from '../support/api-front.js';
import {
  examine,
  examineAs,
  findingOf,
  idsOf,
  type Report,
  RunningDoctor,
  runDoctor,
  TRUSTING,
} from '../support/doctor.js';
import { type Server, script, without } from '../support/host.js';
import { OwnApi } from '../support/own-api.js';
import { platform, secret } from '../support/platform.js';
import { Stores } from '../support/stores.js';
import { until } from '../support/wait.js';

const MOST_SECONDS = 30;
const stores = new Stores();

afterAll(() => stores.close());

const accountsLeft = (): Promise<string[]> => stores.usernames('doctor_');
/** A removal that a server was away for is tried again after five seconds, each time. */
const nothingLeft = () => until('no account is left', async () => (await accountsLeft()).length === 0);

/** The findings about the round trip, with how bad they are. */
const journeyOf = ({ findings }: Report): Record<string, string> =>
  Object.fromEntries(
    findings.filter(({ id }) => id.startsWith('roundtrip.')).map(({ id, severity }) => [id.slice(10), severity]),
  );

const WHOLE_JOURNEY = {
  accounts: 'ok',
  chat: 'ok',
  file: 'ok',
  call: 'ok',
  login: 'ok',
  'relay.udp': 'ok',
  'relay.tcp': 'ok',
  'relay.tls': 'ok',
  'relay.private': 'ok',
  cleanup: 'ok',
};

describe('a deployment that is well', () => {
  let report: Report;
  beforeAll(async () => {
    report = await examineAs(0);
  });

  it('is found well, each port by its own protocol', () => {
    expect([...idsOf(report, 'fault'), ...idsOf(report, 'warning')]).toEqual([]);
    expect(report.status).toBe(0);
    expect(idsOf(report, 'ok')).toEqual(
      expect.arrayContaining([
        ...['api', 'api.ready', 'api.openapi', 'clock.api', 'clock.database', 'database.migrations', 'disk', 'secrets'],
        ...['xmpp.starttls', 'xmpp.tls', 'xmpp.websocket', 'xmpp.host-meta', 'upload.tls'],
        ...['sip.udp', 'sip.tcp', 'sip.tls', 'sip.wss', 'turn.udp', 'turn.tcp', 'turn.tls', 'dns.localhost'],
        ...['certificate.upload.tls', 'certificate.xmpp.starttls'],
        ...['postgresql', 'ejabberd', 'kamailio', 'rtpengine', 'coturn'].map((name) => `server.${name}`),
      ]),
    );
  });

  it.each(['ejabberd', 'kamailio', 'coturn', 'rtpengine'])('runs a version of %s that it knows', (server) => {
    expect(findingOf(report, `version.${server}`).detail).toMatch(/^\d+\.\d+/);
  });

  it('carries what people do: accounts, a message, a file, a call, relays; and nothing is left of it', async () => {
    expect(journeyOf(report)).toEqual(WHOLE_JOURNEY);
    expect(findingOf(report, 'roundtrip.call').detail).toContain(platform.mediaAddress);
    expect(await accountsLeft()).toEqual([]);
  });

  it('is told in a table, by the user of the API; only trouble is, when only that is wanted', async () => {
    const words = ['doctor', ...TRUSTING];
    const { status, stdout, stderr } = await script('veil.sh', {}, words);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/^ok +REST API at .*: answers$/m);
    expect(stdout).toMatch(/\n\d+ findings in [\d.]+ s: .*\n$/);
    expect(await script('veil.sh', {}, [...words, '--quiet'])).toMatchObject({ status: 0, stdout: '' });
  });

  it('keeps its secrets', () => {
    const names = readdirSync(path.join(platform.directory, 'secrets'));
    expect(names.filter((name) => (report.stdout + report.stderr).includes(secret(name)))).toEqual([]);
  });

  it('is seen from outside by the URL of its API alone, without any setting', async () => {
    const outside = await examineAs(0, ['--url', `http://${platform.host}:${platform.ports.api}`, ...TRUSTING], {
      VEIL_VAR: '',
      DB_PASSWORD_FILE: '',
    });
    expect([...idsOf(outside, 'fault'), ...idsOf(outside, 'warning')]).toEqual([]);
    expect(outside.status).toBe(0);
    // A relay sends to no peer on its own machine: that data crosses it shows from elsewhere only.
    const relays = { 'relay.udp': 'info', 'relay.tcp': 'info', 'relay.tls': 'info' };
    expect(journeyOf(outside)).toEqual({ ...WHOLE_JOURNEY, ...relays });
    expect(idsOf(outside, 'ok')).not.toContain('database.migrations');
    await nothingLeft();
  });
});

describe('a server that is away', () => {
  const cases: [Server, faults: string[], wellAllTheSame: string[]][] = [
    ['coturn', ['server.coturn', 'turn.udp', 'turn.tcp', 'turn.tls', 'roundtrip.relay.tls'], ['roundtrip.call']],
    ['rtpengine', ['server.rtpengine', 'roundtrip.call'], ['roundtrip.chat', 'sip.udp']],
    ['kamailio', ['server.kamailio', 'sip.udp', 'sip.tcp', 'sip.tls', 'sip.wss', 'roundtrip.call'], ['roundtrip.chat']],
    ['ejabberd', ['server.ejabberd', 'xmpp.starttls', 'xmpp.tls', 'xmpp.websocket', 'roundtrip.accounts'], ['sip.tls']],
    ['api', ['api', 'roundtrip.login'], ['roundtrip.chat', 'roundtrip.call', 'server.ejabberd']],
  ];

  it.each(cases)('is named, with what people miss and what to do: %s', async (server, faults, well) => {
    const report = await without(server, () => examine());
    expect(report.status).toBe(2);
    expect(idsOf(report, 'fault')).toEqual(expect.arrayContaining(faults));
    expect(idsOf(report, 'ok')).toEqual(expect.arrayContaining(well));
    for (const id of faults) expect(findingOf(report, id).remedy).toBeTruthy();
    expect(findingOf(report, faults[0]!).remedy).toMatch(new RegExp(`up\\.sh.*log/${server}\\.log`));
    expect(report.seconds).toBeLessThan(MOST_SECONDS);
    await nothingLeft();
  });
});

describe('what is set wrong', () => {
  it('is a port at which nothing listens: its setting is named', async () => {
    const report = await examine(TRUSTING, { XMPP_TLS_PORT: '1' });
    expect(report.status).toBe(2);
    expect(findingOf(report, 'xmpp.tls')).toMatchObject({
      severity: 'fault',
      remedy: expect.stringContaining('XMPP_TLS_PORT'),
    });
    expect(findingOf(report, 'api')).toMatchObject({
      severity: 'warning',
      detail: expect.stringContaining('xmpp_port_tls'),
    });
    expect(findingOf(report, 'xmpp.starttls').severity).toBe('ok');
  });

  it('is a port at which another server answers', async () => {
    const report = await examine(TRUSTING, {
      SIP_TLS_PORT: String(platform.ports.xmppTls),
      TURN_TLS_PORT: String(platform.ports.sip),
      XMPP_WS_PORT: String(platform.ports.sipWss),
      XMPP_WS_URL: '',
    });
    expect(findingOf(report, 'sip.tls')).toMatchObject({
      severity: 'fault',
      remedy: expect.stringContaining('SIP_TLS_PORT'),
    });
    expect(findingOf(report, 'turn.tls')).toMatchObject({
      severity: 'fault',
      remedy: expect.stringContaining('TURN_TLS_PORT'),
    });
    expect(findingOf(report, 'xmpp.websocket').severity).toBe('fault');
  });

  it('is an admin port that others reach', async () => {
    // Any loopback address but the usual one: for the doctor it is as good as one of the Internet.
    const address = '127.0.0.3';
    const listener = createServer().listen(platform.ports.xmppApi, address);
    const report = await examine(TRUSTING, { SERVER_IP: address });
    listener.close();
    expect(findingOf(report, `admin.xmpp_api_port.${address}`)).toMatchObject({
      severity: 'fault',
      probed: expect.stringContaining(address),
      remedy: expect.stringContaining(String(platform.ports.xmppApi)),
    });
    expect(idsOf(report, 'fault').filter((id) => id.startsWith('admin.'))).toEqual([`admin.xmpp_api_port.${address}`]);
    expect(findingOf(report, 'dns.localhost')).toMatchObject({ severity: 'warning' });
  });

  it('is a file of a secret that others can read', async () => {
    const file = path.join(platform.directory, 'api', 'secrets', 'turn_secret');
    chmodSync(file, 0o444);
    const report = await examine();
    chmodSync(file, 0o440);
    expect(report.status).toBe(2);
    expect(findingOf(report, 'secrets')).toMatchObject({ severity: 'fault', detail: expect.stringContaining(file) });
  });

  it('is a database that is newer than the programs: a warning', async () => {
    const restore = await stores.addMigration('20991231000000');
    const report = await examineAs(1);
    await restore();
    expect(report.status).toBe(1);
    expect(findingOf(report, 'database.migrations')).toMatchObject({ severity: 'warning' });
  });
});

describe('a certificate', () => {
  const through = async (front: ApiFront, status: number): Promise<Report> => {
    const report = await examineAs(status, ['--url', front.url, ...TRUSTING]);
    front.close();
    return report;
  };

  it('that nobody trusts is a fault, and no secret is sent on its word', async () => {
    const report = await examine([]);
    expect(report.status).toBe(2);
    expect(findingOf(report, 'certificate.upload.tls')).toMatchObject({
      severity: 'fault',
      detail: expect.stringContaining('self-signed'),
      remedy: expect.stringContaining('--ca'),
    });
    expect(findingOf(report, 'xmpp.tls').severity).toBe('ok');
    expect(findingOf(report, 'roundtrip.chat').severity).toBe('fault');
  });

  it.each([
    [30, 0, 'ok'],
    [10, 1, 'warning'],
    [2, 2, 'fault'],
  ])('that ends in %i days gives %i', async (days, status, severity) => {
    const report = await through(await ApiFront.withCertificate('localhost', days), status);
    expect(report.status).toBe(status);
    expect(findingOf(report, 'certificate.api.tls')).toMatchObject({
      severity,
      detail: expect.stringMatching(/\d days/),
    });
    expect(journeyOf(report)).toMatchObject({ chat: 'ok', call: 'ok', cleanup: 'ok' });
  });

  it('for another name is a fault: apps do not use the API, nor does the doctor', async () => {
    const report = await through(await ApiFront.withCertificate('other.test', 30), 2);
    expect(report.status).toBe(2);
    expect(findingOf(report, 'certificate.api.tls')).toMatchObject({
      severity: 'fault',
      detail: expect.stringContaining('other names'),
    });
    expect(journeyOf(report)).toEqual({ accounts: 'fault' });
    expect(await accountsLeft()).toEqual([]);
  });
});

it.each([
  [90_000, 1, 'warning', 'ahead'],
  [-3_600_000, 2, 'fault', 'behind'],
])('a clock that is off by %i ms gives %i', async (offset, status, severity, direction) => {
  const front = await ApiFront.withClock(offset);
  const report = await examineAs(status, ['--url', front.url, ...TRUSTING]);
  front.close();
  expect(report.status).toBe(status);
  expect(findingOf(report, 'clock.api')).toMatchObject({ severity, detail: expect.stringContaining(direction) });
});

describe('where nobody may register', () => {
  let closed: OwnApi;
  beforeAll(async () => {
    closed = await OwnApi.start({ REGISTRATION: 'closed' });
  });
  afterAll(() => closed.stop());

  it('the doctor makes its accounts itself, on the server', async () => {
    const report = await examineAs(0, TRUSTING, { API_PORT: String(closed.port), REGISTRATION: 'closed' });
    expect(report.status).toBe(0);
    expect(journeyOf(report)).toEqual(WHOLE_JOURNEY);
    expect(findingOf(report, 'roundtrip.accounts').detail).toContain('on the server');
    expect(await accountsLeft()).toEqual([]);
  });

  it('it says from outside what it did not try', async () => {
    const report = await examineAs(0, ['--url', `http://127.0.0.1:${closed.port}`, ...TRUSTING]);
    expect(report.status).toBe(0);
    expect(journeyOf(report)).toEqual({ accounts: 'info' });
    expect(findingOf(report, 'roundtrip.accounts').detail).toContain('closed');
  });
});

describe('a run that is cut off', () => {
  const begun = async (): Promise<RunningDoctor> => {
    const doctor = RunningDoctor.start();
    await until('both accounts are made', async () => (await stores.usernames('doctor_')).length === 2);
    return doctor;
  };

  it('removes its accounts first, and says that it could not look', async () => {
    expect(await (await begun()).end('SIGTERM')).toBe(3);
    await nothingLeft();
  });

  it('leaves them to the next one when it is killed', async () => {
    await (await begun()).end('SIGKILL');
    const left = await accountsLeft();
    expect(left).toHaveLength(2);
    await Promise.all(left.map((username) => stores.age(username, 10)));
    const report = await examine();
    expect(report.status).toBe(0);
    expect(findingOf(report, 'roundtrip.forgotten')).toMatchObject({
      severity: 'info',
      detail: expect.stringContaining('2'),
    });
    expect(await accountsLeft()).toEqual([]);
  });
});

describe('a doctor that can not look', () => {
  it.each([
    [['--url', 'localhost'], {}, '--url'],
    [['--ca', '/nowhere/ca.crt'], {}, '/nowhere/ca.crt'],
    [[], { JWT_SECRET_FILE: '/nowhere/jwt' }, 'JWT_SECRET'],
  ])('says so: %j %j', async (words, settings, named) => {
    const { status, stdout, stderr } = await runDoctor(words, settings);
    expect({ status, stdout }).toEqual({ status: 3, stdout: '' });
    expect(stderr).toContain(named);
  });

  it('finds a fault where there is no API', async () => {
    const report = await examine(['--url', 'http://nowhere.invalid']);
    expect(report.status).toBe(2);
    expect(idsOf(report, 'fault')).toEqual(['api']);
  });
});
