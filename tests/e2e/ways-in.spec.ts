/** People get in by an e-mail address or by Google, and back in when they forgot their password, in chat and calls too. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { uniqueName } from '../support/api.js';
import { Google } from '../support/google.js';
import { MailServer } from '../support/mail-server.js';
import { OwnApi } from '../support/own-api.js';
import { SipClient } from '../support/sip-client.js';
import { XmppClient, XmppRefusal } from '../support/xmpp.js';

const FIRST = 'the first password';
const SECOND = 'the second password';

let mailServer: MailServer;
let google: Google;
let api: OwnApi;
const phones: SipClient[] = [];

beforeAll(async () => {
  mailServer = await MailServer.start();
  google = await Google.start();
  api = await OwnApi.start({ ...mailServer.settings, ...google.settings });
});

afterEach(() => {
  for (const phone of phones.splice(0)) phone.close();
});

afterAll(async () => {
  await api.stop();
  await mailServer.stop();
  google.stop();
});

/** Whether a chat client and a phone get in with the password: both, or neither. */
async function opensBoth({ jid, username }: { jid: string; username: string }, password: string): Promise<boolean> {
  const chat = await XmppClient.connect({ jid, password }).catch((error: unknown) => {
    if (error instanceof XmppRefusal) return null;
    throw error;
  });
  await chat?.close();
  const phone = await SipClient.open({ username, password }, 'udp');
  phones.push(phone);
  const { status } = await phone.register();
  expect([chat !== null, status]).toEqual(chat ? [true, 200] : [false, 403]);
  return chat !== null;
}

describe('whoever registers with an e-mail address', () => {
  it('proves it, forgets the password, and is let in everywhere with the next one', async () => {
    const email = `${uniqueName('mail')}@example.org`;
    const registered = await api.client().post('/auth/register', { email, password: FIRST });
    expect(registered.status).toBe(201);
    const account = registered.data as { jid: string; username: string; token: string };
    const verified = await api
      .client(account.token)
      .post('/account/email/verify', { code: await mailServer.readCode(email) });
    expect(verified.data).toEqual({ status: 'verified', email });
    expect(await opensBoth(account, FIRST)).toBe(true);

    await api.client().post('/account/password/forgot', { email });
    const code = await mailServer.readCode(email);
    const reset = await api.client().post('/account/password/reset', { code, new_password: SECOND });
    expect([reset.status, reset.data]).toEqual([200, { status: 'changed' }]);

    expect(await mailServer.read(email)).toContain('has a new password');
    expect(await opensBoth(account, FIRST)).toBe(false);
    expect(await opensBoth(account, SECOND)).toBe(true);
    const login = await api.client().post('/auth/login', { email, password: SECOND });
    expect(login.data).toMatchObject({ jid: account.jid, token_type: 'Bearer' });
    expect((await api.client(account.token).get('/account/sessions')).status).toBe(401);
    expect(api.log).not.toMatch(/[0-9A-Z]{5}-[0-9A-Z]{5}|example\.org|password"/);
  });
});

describe('whoever signs in with Google', () => {
  it('has one account, and sets a password for chat clients and phones', async () => {
    const id_token = google.token(uniqueName('sub'));
    const signIn = () => api.client().post('/auth/google', { id_token });
    const first = await signIn();
    expect([first.status, first.data.created]).toEqual([200, true]);
    const account = first.data as { jid: string; username: string; token: string };
    expect(await opensBoth(account, FIRST)).toBe(false);

    const set = await api.client(account.token).put('/account/password', { new_password: FIRST });
    expect(set.status).toBe(200);

    expect(await opensBoth(account, FIRST)).toBe(true);
    expect((await signIn()).data).toMatchObject({ created: false, jid: account.jid });
  });
});
