import { randomBytes } from 'node:crypto';
import type { Account } from './api.js';
import { writeToEjabberd } from './databases.js';
import { platform } from './platform.js';
import { until } from './wait.js';
import { XmppClient } from './xmpp.js';

export const PUSH_SERVICE = `push.${platform.domain}`;

/** What a client enables push with, and where its provider finds the device. */
export interface XmppPush {
  jid: string;
  node: string;
  secret: string;
}

export interface Device extends XmppPush {
  alertToken: string;
}

/** Registers an iPhone, or what is told, for push. */
export async function registerDevice(
  account: Account,
  deviceId = 'phone',
  { platform, push_token }: { platform: string; push_token: string } = { platform: 'ios', push_token: randomToken() },
): Promise<Device> {
  const alertToken = randomToken();
  const answer = await account.api.post('/push/register', {
    jid: account.jid,
    device_id: deviceId,
    platform,
    push_token,
    app_id: 'com.example.veil',
    ...(platform === 'ios' && { alert_token: alertToken }),
  });
  if (answer.status !== 200) throw new Error(`register answered ${answer.status}: ${JSON.stringify(answer.data)}`);
  return { ...answer.data.xmpp_push, alertToken };
}

const randomToken = (): string => randomBytes(32).toString('hex');

/** Its app enables push, and is put to sleep. */
export async function fallAsleep(account: Account, { node, secret }: XmppPush, resource = 'phone'): Promise<void> {
  const app = await XmppClient.connect(account, { resource });
  await app.enablePush(node, secret);
  await app.close();
}

/** A registered device whose app has enabled push and sleeps. */
export async function sleepingDevice(
  account: Account,
  deviceId = 'phone',
  registration?: { platform: string; push_token: string },
): Promise<Device> {
  const device = await registerDevice(account, deviceId, registration);
  await fallAsleep(account, device, deviceId);
  return device;
}

/** The nodes to which ejabberd pushes for an account. */
export const pushSessions = (account: Account): Promise<string[]> =>
  writeToEjabberd(async (sql) => {
    const rows = await sql<{ node: string }[]>`
      SELECT node FROM push_session WHERE username = ${account.username} ORDER BY node`;
    return rows.map(({ node }) => node);
  });

export const pushSessionEnds = (account: Account, { node }: Pick<XmppPush, 'node'>): Promise<true> =>
  until(`ejabberd pushes no more to ${account.username}`, async () => !(await pushSessions(account)).includes(node));
