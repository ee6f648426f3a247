/**
 * The firewall: clients get through to the documented ports, the operator by SSH, and nobody anywhere else.
 */
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { expect, it } from '@jest/globals';
import { checkout } from '../support/checkout.js';
import { script } from '../support/host.js';
import { platform } from '../support/platform.js';

const { ports } = platform;

const CLIENTS = {
  tcp: [ports.xmpp, ports.xmppTls, ports.xmppWs, ports.xmppHttps, ports.sip, ports.sipTls, ports.sipWss, ports.turn],
  udp: [ports.sip, ports.turn],
};
const NOBODY = [ports.database, ports.apiInternal, ports.api, ports.xmppApi, ports.xmppComponent, ports.sipRpc];
const ranges = ['RTP', 'TURN'].map((name) => `${process.env[`${name}_MIN_PORT`]}:${process.env[`${name}_MAX_PORT`]}`);

it('is told what it would be made, and is not made by that', async () => {
  const { status, stdout } = await script('setup-firewall.sh', { SSH_CONNECTION: '192.0.2.1 50000 192.0.2.2 2222' }, [
    '--dry-run',
  ]);
  expect(status).toBe(0);
  const allowed = [...stdout.matchAll(/^ufw allow (\S+) comment Veil$/gm)].map(([, port]) => port!);
  const tcp = [...CLIENTS.tcp, ports.turnTls].map((port) => `${port}/tcp`);
  const udp = [...CLIENTS.udp, ...ranges].map((port) => `${port}/udp`);
  expect(allowed).toContain('2222/tcp');
  expect(allowed.filter((port) => !['22/tcp', '2222/tcp'].includes(port)).sort()).toEqual([...tcp, ...udp].sort());
});

it('lets through to what clients need and to SSH, and nowhere else', () => {
  const asked = [2222, ...CLIENTS.tcp, ports.turnTls, ...NOBODY].map(String);
  const answer = execFileSync(
    path.join(checkout, 'tests', 'support', 'behind-firewall.sh'),
    [path.join(checkout, 'scripts', 'setup-firewall.sh'), ...asked],
    { env: { ...process.env, SSH_CONNECTION: '192.0.2.1 50000 192.0.2.2 2222' }, encoding: 'utf8' },
  );
  const state = new Map(
    answer
      .trim()
      .split('\n')
      .map((line) => line.split(' ') as [string, string]),
  );
  expect(asked.filter((port) => state.get(port) === 'closed')).toEqual(NOBODY.map(String));
});
