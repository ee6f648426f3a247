/**
 * The monitor: the operator gets a mail when a server goes down, when it is back, and in time before a certificate ends.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createServer, type Server } from 'node:tls';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { NODE, program } from '../support/checkout.js';
import { startServer, stopServer } from '../support/host.js';
import { MailServer } from '../support/mail-server.js';
import { OwnApi } from '../support/own-api.js';
import { apiSecrets } from '../support/platform.js';
import { until } from '../support/wait.js';

const OPERATOR = 'operator@example.org';

let mails: MailServer;
let uploads: Server;
let api: OwnApi;

/** Where uploads would be: a server whose certificate ends in ten days. */
async function endingUploads(): Promise<Server> {
  const directory = mkdtempSync(path.join(tmpdir(), 'veil-ending-'));
  const [key, cert] = ['server.key', 'server.crt'].map((name) => path.join(directory, name)) as [string, string];
  const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  execFileSync('openssl', [...request, '-keyout', key, '-out', cert, '-days', '10', '-subj', '/CN=upload'], {
    stdio: 'ignore',
  });
  const server = createServer({ key: readFileSync(key), cert: readFileSync(cert) });
  rmSync(directory, { recursive: true });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

/** `veil.sh monitor`, for that API. */
function monitorBeside({ port }: OwnApi): ChildProcess {
  const env = {
    ...{ ...process.env, ...apiSecrets(), ...mails.settings, LOG_LEVEL: 'silent' },
    ...{ ALERT_EMAIL: OPERATOR, MONITOR_SECONDS: '1', MONITOR_API_URL: `http://127.0.0.1:${port}` },
  };
  return spawn(NODE, [program('cli'), 'monitor'], { env, stdio: 'ignore' });
}

/** A look at everything takes a second or two, and what fails is looked at twice. */
const told = (text: RegExp) => until(`a mail has ${text}`, () => mails.texts(OPERATOR).find((mail) => text.test(mail)));

beforeAll(async () => {
  [mails, uploads] = await Promise.all([MailServer.start(), endingUploads()]);
  api = await OwnApi.start({
    ...mails.settings,
    ALERT_EMAIL: OPERATOR,
    MONITOR_SECONDS: '1',
    HTTP_UPLOAD_DOMAIN: 'localhost',
    XMPP_HTTPS_PORT: String((uploads.address() as AddressInfo).port),
  });
});

afterAll(async () => {
  await api.stop();
  uploads.close();
  await mails.stop();
});

it('warns of a certificate that ends in ten days', async () => {
  const mail = await told(/^Subject: \[veil\.test\] .*WARNING: certificates/m);
  expect(mail).toContain('it ends in 9 days');
});

it('tells when a server goes down, how it was seen, and when it is back', async () => {
  await stopServer('coturn');
  try {
    expect(await told(/^Subject: .*DOWN: coturn/m)).toMatch(
      /coturn: DOWN since .* UTC[\s\S]*STUN and TURN over TLS at localhost/,
    );
    expect(await api.metric('veil_up', 'subject="coturn"')).toBe(0);
  } finally {
    await startServer('coturn');
  }
  await told(/^Subject: .*back: coturn/m);
  expect(mails.texts(OPERATOR).filter((mail) => /^Subject: .*coturn/m.test(mail))).toHaveLength(2);
});

it('tells that the database is down, though it needs one', async () => {
  await stopServer('postgres');
  try {
    expect(await told(/^Subject: .*DOWN: .*postgresql/m)).toContain('nobody can log in');
  } finally {
    await startServer('postgres');
  }
  await told(/^Subject: .*back: .*postgresql/m);
});

it('tells that the API is down, from a process of its own', async () => {
  await api.stop();
  api = await OwnApi.start({});
  const monitor = monitorBeside(api);
  try {
    await api.kill();
    expect(await told(/^Subject: .*DOWN: api/m)).toContain('apps can neither register nor log in');
  } finally {
    monitor.kill('SIGTERM');
    expect(await once(monitor, 'exit')).toEqual([0, null]);
  }
});
