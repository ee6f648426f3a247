/**
 * What the operator does by the command line, on the running platform: suspending and resuming accounts, giving them
 * new ways in, deleting them, and inviting people.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Account, apiClient, registerAccount, uniqueName } from '../support/api.js';
import { findInDatabases } from '../support/databases.js';
import { affiliationsOf, subscribersOf } from '../support/ejabberd.js';
import { serverPids, veil } from '../support/host.js';
import { OwnApi } from '../support/own-api.js';
import { platform } from '../support/platform.js';
import { SipClient } from '../support/sip-client.js';
import { SocketClient } from '../support/socket-client.js';
import { until } from '../support/wait.js';
import { closeXmppClients, XmppClient } from '../support/xmpp.js';
import { XmppStream, XmppWebSocket } from '../support/xmpp-stream.js';

const login = ({ username, password }: Pick<Account, 'username' | 'password'>) =>
  apiClient().post('/account/login', { username, password });

const reset = (code: string, new_password: string) =>
  apiClient().post('/account/password/reset', { code, new_password });

/** Runs a verb that must succeed; what it printed. */
async function done(...verb: string[]): Promise<string> {
  const { status, stdout, stderr } = await veil(...verb);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return stdout;
}

/** The value of a line `name  value` that a verb printed. */
const field = (printed: string, name: string): string => {
  const value = new RegExp(`^${name} +(.+)$`, 'm').exec(printed)?.[1];
  if (!value) throw new Error(`the verb told no ${name}`);
  return value;
};

/** A device of the account that is connected to the platform's API. */
async function signalling({ api, token }: Account): Promise<SocketClient> {
  const device_id = uniqueName('device');
  await api.post('/devices/register', { device_id, pubkey: 'key' });
  const socket = await SocketClient.connect(`/signal?device_id=${device_id}&token=${token}`);
  expect(await socket.next()).toMatchObject({ type: 'connected' });
  return socket;
}

const ENDED = { code: 1008, reason: 'Session or device has ended' };

interface ListedAccount {
  name: string;
  status: string;
  sessions: number;
  seen: string | null;
}

async function listed({ username }: Pick<Account, 'username'>): Promise<ListedAccount | undefined> {
  const accounts = JSON.parse(await done('account', 'list', '--json')) as ListedAccount[];
  return accounts.find(({ name }) => name === username);
}

/** The stream once its password was found right. */
async function authenticated<T extends XmppStream | XmppWebSocket>(
  stream: T,
  username: string,
  password: string,
): Promise<T> {
  await stream.open();
  if (stream instanceof XmppStream) {
    await stream.startTls();
    await stream.open();
  }
  expect(await stream.authenticate(username, password)).toBeNull();
  await stream.open();
  return stream;
}

/** The condition with which a stream is refused once the password was found right, or null. */
async function openStream(stream: XmppStream | XmppWebSocket, { username, password }: Account): Promise<string | null> {
  try {
    return await (await authenticated(stream, username, password)).bind('story');
  } finally {
    stream.close();
  }
}

const STREAM_MANAGEMENT = "xmlns='urn:xmpp:sm:3'";

/** Opens a stream (XEP-0198) and loses the connection; by the result it could be resumed. */
async function leaveToBeResumed({ username, password }: Account): Promise<string> {
  const stream = await authenticated(XmppStream.connect(), username, password);
  expect(await stream.bind('waiting')).toBeNull();
  stream.write(`<enable ${STREAM_MANAGEMENT} resume='true'/>`);
  const [enabled] = await stream.read(/<enabled [^>]*>/);
  stream.close();
  return / id='([^']+)'/.exec(enabled)?.[1] ?? '';
}

/** The condition with which a stream is not resumed, or null. */
async function resume({ username, password }: Account, id: string): Promise<string | null> {
  const stream = await authenticated(XmppStream.connect(), username, password);
  stream.write(`<resume ${STREAM_MANAGEMENT} previd='${id}' h='0'/>`);
  const [, condition] = await stream.read(/<resumed |<failed [^>]*>\s*(?:<text.*?<\/text>)?<([\w-]+)/s);
  stream.close();
  return condition ?? null;
}

const message = async (from: SipClient, to: string): Promise<number> =>
  (await from.request('MESSAGE', to, { body: 'hello', contentType: 'text/plain' })).final.status;

afterAll(closeXmppClients);

describe('the command line', () => {
  it('says what there is, and what was mistyped', async () => {
    const nothing = await veil();
    expect(nothing.status).toBe(2);
    expect(nothing.stderr).toMatch(/account suspend NAME.*invite create/s);
    expect(await veil('account', 'suspend')).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/^NAME is missing/),
    });
    expect((await veil('account', 'suspend', '--help')).stdout).toMatch(/^usage: veil.sh account suspend NAME/);
  });

  it.each(['suspend', 'resume', 'reset-password'])('knows nobody of a name that nobody has: %s', async (verb) => {
    const answer = await veil('account', verb, uniqueName('nobody'));
    expect(answer).toEqual({ status: 1, stdout: '', stderr: 'there is no such account (not_found)\n' });
  });

  it('lists accounts by name, with what they have open', async () => {
    const account = await registerAccount('listed');
    await login(account);
    expect(await listed(account)).toMatchObject({ status: 'active', sessions: 2, seen: expect.stringMatching(/^20/) });
    const names = (await done('account', 'list'))
      .split('\n')
      .slice(1, -1)
      .map((line) => line.split(' ')[0]);
    expect(names).toContain(account.username);
    expect(names).toEqual([...names].sort());
  });
});

describe('a suspended account', () => {
  let account: Account;
  let friend: Account;
  let group: { group_id: string; jid: string };
  let friendStream: XmppClient;
  let stream: XmppClient;
  let waiting: string;
  let phone: SipClient;
  let friendPhone: SipClient;
  let socket: SocketClient;

  beforeAll(async () => {
    [account, friend] = await Promise.all([registerAccount('suspended'), registerAccount('friend')]);
    group = (await friend.api.post('/groups', { name: 'Choir', member_jids: [account.jid] })).data;
    [stream, waiting, friendStream] = await Promise.all([
      XmppClient.connect(account),
      leaveToBeResumed(account),
      XmppClient.connect(friend),
    ]);
    await friendStream.join(group.jid);
    [phone, friendPhone] = await Promise.all([SipClient.open(account, 'tls'), SipClient.open(friend)]);
    expect([(await phone.register()).status, (await friendPhone.register()).status]).toEqual([200, 200]);
    expect((await account.api.get('/turn/credentials')).status).toBe(200);
    socket = await signalling(account);
    expect(await done('account', 'suspend', account.username)).toBe(`${account.jid} is suspended\n`);
  });

  afterAll(() => {
    phone.close();
    friendPhone.close();
  });

  it('can do nothing with its token, and gets no other', async () => {
    expect((await account.api.get('/turn/credentials')).status).toBe(401);
    expect((await account.api.get('/groups')).status).toBe(401);
    const refused = await login(account);
    expect([refused.status, refused.data.code]).toEqual([403, 'account_suspended']);
  });

  it('tells nothing of its suspension to who does not know the password', async () => {
    const wrong = await login({ ...account, password: friend.password });
    expect([wrong.status, wrong.data.code]).toEqual([401, 'invalid_credentials']);
  });

  it('has no stream left, none to resume, and opens none', async () => {
    await stream.ended();
    expect(await resume(friend, await leaveToBeResumed(friend))).toBeNull();
    expect(await resume(account, waiting)).toBe('item-not-found');
    expect(await openStream(XmppStream.connect(), account)).toBe('not-allowed');
    expect(await openStream(await XmppWebSocket.connect(platform.ports.xmppWs), account)).toBe('not-allowed');
  });

  it('has no WebSocket left, though it is another process that suspends', async () => {
    expect(await socket.end()).toEqual(ENDED);
  });

  it('has no registered phone left, and registers none; calls do not reach it', async () => {
    expect(await message(friendPhone, phone.address)).toBe(480);
    expect((await phone.register()).status).toBe(403);
    expect(await message(phone, friendPhone.address)).toBe(403);
  });

  it('is still a member of its groups, for which messages wait', async () => {
    const member = { [account.jid]: 'member', [friend.jid]: 'owner' };
    expect(await affiliationsOf(group.jid)).toEqual(member);
    expect(await subscribersOf(group.jid)).toEqual([account.jid, friend.jid].sort());
    await friendStream.sendToRoom(group.jid, 'while you were away');
    await friendStream.send(account.jid, 'are you there?');
  });

  it('is listed as such, and its name is not free', async () => {
    expect(await listed(account)).toMatchObject({ status: 'suspended', sessions: 0 });
    const { username } = account;
    const answer = await apiClient().post('/account/register', { username, password: 'another password' });
    expect([answer.status, answer.data.code]).toEqual([409, 'username_taken']);
  });

  it('can be suspended again, and gets no code', async () => {
    expect(await done('account', 'suspend', account.jid)).toBe(`${account.jid} is suspended\n`);
    expect(await veil('account', 'reset-password', account.username)).toMatchObject({ status: 1, stdout: '' });
  });

  it('is as before once it is resumed, with its old password', async () => {
    expect(await done('account', 'resume', account.username)).toBe(`${account.jid} is active\n`);
    expect((await login(account)).status).toBe(200);
    expect((await account.api.get('/groups')).status).toBe(401);
    const back = await XmppClient.connect(account);
    await back.receivedBody('are you there?');
    await back.receivedBody('while you were away');
    expect((await phone.register()).status).toBe(200);
    const seen = phone.incoming('MESSAGE').then((request) => phone.reply(request, 200));
    expect(await message(friendPhone, phone.address)).toBe(200);
    await seen;
  });
});

describe('suspending while the chat server hangs', () => {
  it('refuses at once what does not need it, and the rest when it is back', async () => {
    const account = await registerAccount('frozen');
    const stream = await XmppClient.connect(account);
    const { ejabberd } = await serverPids();
    process.kill(ejabberd, 'SIGSTOP');
    try {
      expect(await done('account', 'suspend', account.username)).toMatch(/is suspended; a server does not answer/);
      expect((await account.api.get('/groups')).status).toBe(401);
    } finally {
      process.kill(ejabberd, 'SIGCONT');
    }
    await until('the stream ends', () => stream.closed);
    await until('no stream opens', async () => (await openStream(XmppStream.connect(), account)) === 'not-allowed');
    await done('account', 'resume', account.username);
    expect(await openStream(XmppStream.connect(), account)).toBeNull();
  });
});

describe('deleting an account', () => {
  it('needs to be confirmed', async () => {
    const account = await registerAccount('spared');
    const answer = await veil('account', 'delete', account.username);
    expect(answer).toMatchObject({ status: 2, stdout: '', stderr: expect.stringContaining('--yes') });
    expect((await login(account)).status).toBe(200);
  });

  it.each([false, true])('leaves nothing of it (suspended before: %s)', async (suspended) => {
    const account = await registerAccount('gone');
    const socket = await signalling(account);
    if (suspended) await done('account', 'suspend', account.username);
    expect(await done('account', 'delete', account.username, '--yes')).toBe(`${account.jid} is deleted\n`);
    expect((await login(account)).data.code).toBe('invalid_credentials');
    expect(await findInDatabases(account.username)).toEqual([]);
    expect(await socket.end()).toEqual(ENDED);
  });
});

describe('an account that the operator makes', () => {
  it('is opened by the code that is printed, and then chats and calls', async () => {
    const username = uniqueName('made');
    const email = `${username}@mail.test`;
    const printed = await done('account', 'create', username.toUpperCase(), '--email', email);
    expect(field(printed, 'account')).toBe(`${username}@${platform.domain}`);
    const made = { username, jid: field(printed, 'account'), password: 'chosen by the user' };
    expect((await login(made)).data.code).toBe('invalid_credentials');
    expect((await reset(field(printed, 'code'), made.password)).status).toBe(200);
    expect((await reset(field(printed, 'code'), 'once more, please')).data.code).toBe('invalid_code');
    expect((await login({ username: email, password: made.password })).data.jid).toBe(made.jid);
    await (await XmppClient.connect(made)).close();
    const phone = await SipClient.open(made);
    expect((await phone.register()).status).toBe(200);
    phone.close();
  });

  it('needs a name and an address that nobody has, and a name that may be had', async () => {
    const { username } = await registerAccount('taken');
    const taken = await veil('account', 'create', username);
    expect(taken).toEqual({ status: 1, stdout: '', stderr: 'choose another username (username_taken)\n' });
    expect((await veil('account', 'create', 'x')).stderr).toContain('username must be');
    expect((await veil('account', 'create', uniqueName(), '--email', 'none')).stderr).toContain('email must be');
  });
});

describe('a code for a new password', () => {
  it('ends nothing until it is used', async () => {
    const account = await registerAccount('forgetful');
    const printed = await done('account', 'reset-password', account.jid);
    expect(field(printed, 'account')).toBe(account.jid);
    expect(field(printed, 'code')).toMatch(/^([0-9A-Z]{5}-){3}[0-9A-Z]{5}$/);
    expect((await account.api.get('/groups')).status).toBe(200);
    expect((await login(account)).status).toBe(200);
    expect((await reset(field(printed, 'code'), 'remembered from now on')).status).toBe(200);
    await until('its token is dead', async () => (await account.api.get('/groups')).status === 401, {
      timeoutMs: 1000,
    });
    expect((await login(account)).status).toBe(401);
    expect((await login({ ...account, password: 'remembered from now on' })).status).toBe(200);
  });
});

describe('where registration is by invite', () => {
  let api: OwnApi;
  beforeAll(async () => {
    api = await OwnApi.start({ REGISTRATION: 'invite' });
  });
  afterAll(() => api.stop());

  const register = async (invite_code?: string) => {
    const body = { username: uniqueName('invited'), password: 'correct horse battery', invite_code };
    const { status, data } = await api.client().post('/account/register', body);
    return [status, data.code];
  };

  it('a code that the operator made lets as many people in as it says', async () => {
    const code = field(await done('invite', 'create', '--uses', '2', '--note', 'for the choir'), 'code');
    expect(await register()).toEqual([403, 'invite_required']);
    expect(await register(code)).toEqual([201, undefined]);
    expect(await register(code.toLowerCase())).toEqual([201, undefined]);
    expect(await register(code)).toEqual([403, 'invite_invalid']);
  });

  it('a code that the operator took back lets nobody in', async () => {
    const printed = await done('invite', 'create', '--days', '2');
    const id = field(printed, 'id');
    await done('invite', 'revoke', id);
    expect(await register(field(printed, 'code'))).toEqual([403, 'invite_invalid']);
    const invites = JSON.parse(await done('invite', 'list', '--json')) as { id: string; revoked: string | null }[];
    expect(invites.find((invite) => invite.id === id)?.revoked).toMatch(/^20/);
  });
});
