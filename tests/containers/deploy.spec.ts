/**
 * What the operator does to the whole: deploying again, broken off or not, changes nothing; a backup brings everything
 * back where nothing is.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { apiClient, registerAccount } from '../support/api.js';
import { checkout } from '../support/checkout.js';
import { compose, containers } from '../support/containers.js';
import { script } from '../support/host.js';
import { https } from '../support/https.js';
import { platform, secret } from '../support/platform.js';
import { bodyOf, closeXmppClients, XmppClient } from '../support/xmpp.js';

const LOGIN = { mechanism: 'SCRAM-SHA-256-PLUS', tlsVersion: '1.2' } as const;
const DEPLOY = ['--self-signed', '--no-timers', '--yes'];
const OPEN = { REGISTRATION: 'open' };
const deploy = path.join(checkout, 'scripts', 'deploy.sh');
const home = mkdtempSync('/tmp/veil-backups.');

afterAll(async () => {
  await closeXmppClients();
  rmSync(home, { recursive: true });
});

const SERVERS = ['db', 'ejabberd', 'kamailio', 'rtpengine', 'coturn', 'api', 'proxy'];
/** Which containers run, since when, and with which secrets. */
async function present(): Promise<object> {
  const running = (await containers(...SERVERS)).map(({ Id, State }) => `${Id} ${State.StartedAt}`).sort();
  const names = readdirSync(path.join(platform.directory, 'secrets')).sort();
  return { running, secrets: names.map((name) => [name, secret(name)]) };
}

/** Runs it until something is printed that has the text, and kills it and all that it started. */
async function brokenOffAt(text: string): Promise<void> {
  const child = spawn(deploy, DEPLOY, { env: { ...process.env, ...OPEN }, detached: true });
  child.stderr.resume();
  for await (const chunk of child.stdout.setEncoding('utf8')) if (String(chunk).includes(text)) break;
  process.kill(-child.pid!, 'SIGKILL');
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

describe('deploy.sh', () => {
  it('changes nothing that is right, and says where everything is', async () => {
    const before = await present();
    const { status, stdout } = await script('deploy.sh', OPEN, DEPLOY);
    expect(status).toBe(0);
    expect(stdout).toContain(`API   https://${platform.domain}:${platform.ports.xmppHttps}/api/v1`);
    expect(await present()).toEqual(before);
  });

  it.each(['Starting', 'Looking'])('ends where it would have, when it is killed at "%s"', async (step) => {
    const before = await present();
    await brokenOffAt(step);
    expect((await script('deploy.sh', OPEN, DEPLOY)).status).toBe(0);
    expect(await present()).toEqual(before);
  });

  it('keeps the domain that its accounts belong to', async () => {
    const refused = await script('deploy.sh', OPEN, [...DEPLOY, '--domain', 'other.test']);
    expect(refused).toMatchObject({ status: 1, stderr: expect.stringContaining('XMPP_DOMAIN is') });
  });
});

describe('upgrade.sh', () => {
  it('backs up, replaces nothing that is the same, and says how to go back', async () => {
    const before = await present();
    const { status, stdout } = await script('upgrade.sh', {}, ['--to', path.join(home, 'upgrades')]);
    expect(status).toBe(0);
    expect(stdout).toMatch(
      /docker compose down --volumes[\s\S]*scripts\/restore.sh .*\.tar\.age --key .* --containers/,
    );
    expect(await present()).toEqual(before);
  });
});

describe('a backup', () => {
  it('brings accounts, messages, files and the certificate back to a machine without containers and data', async () => {
    const [alice, bob] = await Promise.all([registerAccount('alice'), registerAccount('bob')]);
    const a = await XmppClient.connect(alice, LOGIN);
    await a.send(bob.jid, 'kept in the archive');
    const slot = await a.uploadSlot('notes.txt', 5);
    expect((await https.put(slot.put, Buffer.from('notes'))).status).toBe(201);
    const backup = await script('backup.sh', {}, ['--to', home]);
    expect(backup.status).toBe(0);
    await closeXmppClients();

    await compose('down', '--volumes', '--timeout', '5');
    renameSync(platform.directory, path.join(home, 'var'));
    const key = path.join(home, 'var', 'backup', 'key');
    const restored = await script('restore.sh', {}, [backup.stdout.trim(), '--key', key, '--containers']);
    if (restored.status !== 0) throw new Error(restored.stderr);

    const { username, password } = alice;
    expect((await apiClient().post('/account/login', { username, password })).status).toBe(200);
    const b = await XmppClient.connect(bob, LOGIN);
    expect((await b.archive(alice.jid)).map(bodyOf)).toContain('kept in the archive');
    expect((await https.get(slot.get)).data).toBe('notes');
  });
});
