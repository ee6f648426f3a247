import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { Mailer } from '../../clients/smtp/smtp.client.js';
import { Metrics } from '../../common/metrics.js';
import { NeighbourTimes } from '../../common/neighbour-times.js';
import { FakeClock } from '../../testing/clock.js';
import { testConfig } from '../../testing/config.js';
import { createTestDatabase, type TestDatabase } from '../../testing/database.js';
import { TestMailServer } from '../../testing/smtp.js';
import type { Vital, VitalsCheckup } from '../doctor/vitals.checkup.js';
import { MonitorRepository } from './monitor.repository.js';
import { MonitorService } from './monitor.service.js';

const MINUTE = 60_000;
const never = new AbortController().signal;

describe('the monitor', () => {
  let database: TestDatabase;
  let mails: TestMailServer;
  let clock: FakeClock;
  let vitals: Vital[];
  /** What the next looks find before that. */
  let looks: Vital[][];
  let databaseAnswers: boolean;

  beforeAll(async () => {
    [database, mails] = await Promise.all([createTestDatabase(), TestMailServer.start()]);
    jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => {});
  });
  afterAll(async () => {
    jest.restoreAllMocks();
    await Promise.all([database.drop(), mails.stop()]);
  });

  beforeEach(async () => {
    await database.sql`DELETE FROM alerts`;
    await database.sql`DELETE FROM monitor_lease`;
    mails.mails.length = 0;
    clock = new FakeClock();
    databaseAnswers = true;
    looks = [];
    find('ok');
  });

  const find = (severity: Vital['severity']): void => {
    vitals = [{ subject: 'coturn', severity, detail: 'TURN over UDP: refused' }];
  };

  /** A process that could look after the servers, with a memory of its own. */
  function newMonitor(settings: NodeJS.ProcessEnv = {}): MonitorService {
    const config = testConfig({
      ...{ ALERT_EMAIL: 'ops@example.org, Boss@example.org', MONITOR_SECONDS: '1' },
      ...mails.environment,
      ...settings,
    });
    const repository = new Proxy(new MonitorRepository(database.sql), {
      get: (target, name: keyof MonitorRepository) =>
        databaseAnswers ? target[name].bind(target) : () => Promise.reject(new Error('away')),
    });
    const metrics = new Metrics();
    const mailer = new Mailer(config, new NeighbourTimes(metrics));
    const checkup = { examine: async () => looks.shift() ?? vitals } as unknown as VitalsCheckup;
    return new MonitorService(checkup, repository, mailer, clock, config, metrics);
  }

  const subjects = (): string[] => mails.mails.map(({ raw }) => /^Subject: (.*)\r$/m.exec(raw)?.[1] ?? '');
  const round = async (...monitors: MonitorService[]): Promise<void> => {
    for (const monitor of monitors) await monitor.look(never);
  };

  it('mails everybody who is to know when a server goes down, and when it is back', async () => {
    const monitor = newMonitor();
    await round(monitor);
    expect(subjects()).toEqual([]);
    find('fault');
    await round(monitor);
    await round(monitor);
    find('ok');
    await round(monitor);
    expect(mails.mails.map(({ to }) => to[0]).sort()).toEqual([
      'boss@example.org',
      'boss@example.org',
      'ops@example.org',
      'ops@example.org',
    ]);
    expect(subjects().filter((subject) => subject.includes('DOWN: coturn'))).toHaveLength(2);
    expect(subjects().filter((subject) => subject.includes('back: coturn'))).toHaveLength(2);
  });

  it('takes no server for down that answers a moment later, as after a restart', async () => {
    const monitor = newMonitor();
    looks = [[{ subject: 'coturn', severity: 'fault', detail: 'TURN over UDP: refused' }]];
    await round(monitor);
    expect({ left: looks, told: subjects() }).toEqual({ left: [], told: [] });
  });

  it('is one of all processes; another goes on where the last one was when that is gone', async () => {
    const [first, second] = [newMonitor(), newMonitor()];
    find('fault');
    await round(first, second, first, second);
    expect(subjects()).toHaveLength(2);
    clock.advance(MINUTE);
    await round(second);
    expect(subjects()).toHaveLength(2);
    find('ok');
    await round(second, first);
    expect(subjects()).toHaveLength(4);
  });

  it('goes on in the process that looked last when the database is down, and keeps what it told afterwards', async () => {
    const [first, second] = [newMonitor(), newMonitor()];
    await round(first, second);
    databaseAnswers = false;
    find('fault');
    await round(first, second);
    expect(subjects()).toHaveLength(2);
    databaseAnswers = true;
    clock.advance(MINUTE);
    await round(first);
    expect(await database.sql`SELECT told FROM alerts`).toEqual([{ told: 'fault' }]);
  });

  it('tells in the next round what the mail server did not take', async () => {
    const monitor = newMonitor();
    find('fault');
    await mails.down();
    await round(monitor);
    await mails.up();
    await round(monitor);
    expect(subjects()).toHaveLength(2);
  });

  it('is off without addresses, and without a mail server', () => {
    expect(newMonitor().enabled).toBe(true);
    expect(newMonitor({ ALERT_EMAIL: '' }).enabled).toBe(false);
    expect(newMonitor({ SMTP_HOST: '' }).enabled).toBe(false);
  });
});
