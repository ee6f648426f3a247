/**
 * A browser is a phone: calls between headless Chromium (JsSIP over WSS) and SIP phones, and between browsers.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { type Account, registerAccount } from '../support/api.js';
import { Baresip } from '../support/baresip.js';
import { Browser, type WebPhone, type WebPhoneOptions } from '../support/browser.js';
import type { MediaReport } from '../support/browser-softphone.js';
import { platform } from '../support/platform.js';

const PACKETS = 100;
/** Packets that the browser had sent and the phone not yet got when the call ended. */
const IN_FLIGHT = 10;
const [BROWSER_HERTZ, OTHER_BROWSER_HERTZ, PHONE_HERTZ] = [660, 523, 880];

let browser: Browser;
const webPhones: WebPhone[] = [];
const phones: Baresip[] = [];

beforeAll(async () => {
  browser = await Browser.start();
});

afterEach(async () => {
  await Promise.all(phones.splice(0).map((phone) => phone.stop()));
  await Promise.all(webPhones.splice(0).map((phone) => phone.close()));
});

afterAll(() => browser.stop());

async function webPhone(options: WebPhoneOptions = {}, credentials?: Account): Promise<WebPhone> {
  const account = credentials ?? (await registerAccount('web'));
  const phone = await browser.phone(account, { toneHertz: BROWSER_HERTZ, ...options });
  webPhones.push(phone);
  return phone;
}

async function sipPhone(): Promise<Baresip> {
  const phone = await Baresip.start(await registerAccount('phone'), { toneHertz: PHONE_HERTZ });
  phones.push(phone);
  return phone;
}

/** Encrypted with keys agreed over DTLS, and through the media relay. */
function expectWebRtc(report: MediaReport): void {
  expect(report).toMatchObject({
    dtls: 'connected',
    srtpCipher: expect.stringMatching(/^(SRTP_)?(AEAD_)?AES/),
    remoteProfile: expect.stringMatching(/RTP\/SAVPF$/),
    remoteAddress: platform.mediaAddress,
  });
  expect(report.packetsLost).toBeLessThan(PACKETS / 20);
}

/** What baresip counted itself, and that it heard the browser. */
async function expectHeard(phone: Baresip): Promise<void> {
  const { sent, received } = await phone.counters();
  expect(sent).toBeGreaterThanOrEqual(PACKETS);
  expect(received).toBeGreaterThanOrEqual(PACKETS - IN_FLIGHT);
  expect(phone.heard(BROWSER_HERTZ)).toBeGreaterThan(1000);
  expect(phone.heard(PHONE_HERTZ)).toBeLessThan(100);
}

describe('a browser', () => {
  it('calls a SIP phone: DTLS-SRTP on its side, RTP on the other, both hear each other', async () => {
    const web = await webPhone();
    const phone = await sipPhone();
    const calling = web.call(phone.address);
    await phone.event('CALL_INCOMING');
    await phone.answer();
    await calling;

    await web.hears(PHONE_HERTZ);
    expectWebRtc(await web.exchanged(PACKETS));
    await web.hangUp();
    await phone.event('CALL_CLOSED');
    await expectHeard(phone);
  });

  it('is called by a SIP phone, which hangs up', async () => {
    const web = await webPhone();
    const phone = await sipPhone();
    const answering = web.answer();
    await phone.dial(web.address);
    expect(await answering).toBe(phone.address);

    await web.hears(PHONE_HERTZ);
    expectWebRtc(await web.exchanged(PACKETS));
    await phone.hangUp();
    expect(await web.ended()).toBe('remote');
    await expectHeard(phone);
  });

  it('calls a browser', async () => {
    const caller = await webPhone();
    const callee = await webPhone({ toneHertz: OTHER_BROWSER_HERTZ });
    const [who] = await Promise.all([callee.answer(), caller.call(callee.address)]);
    expect(who).toBe(caller.address);

    await Promise.all([caller.hears(OTHER_BROWSER_HERTZ), callee.hears(BROWSER_HERTZ)]);
    for (const report of await Promise.all([caller.exchanged(PACKETS), callee.exchanged(PACKETS)])) {
      expectWebRtc(report);
    }
    await callee.hangUp();
    expect(await caller.ended()).toBe('remote');
  });

  it.each([
    ['udp', 0],
    ['tcp', 1],
    ['tls', 2],
  ] as const)('that may use nothing but the relay is heard through it, reached over %s', async (protocol, uri) => {
    const account = await registerAccount('web');
    const { username, password, uris } = (await account.api.get('/turn/credentials')).data;
    const iceServers = [{ urls: uris[uri], username, credential: password }];
    const web = await webPhone({ iceServers, iceTransportPolicy: 'relay' }, account);
    const phone = await sipPhone();

    const calling = web.call(phone.address);
    await phone.event('CALL_INCOMING');
    await phone.answer();
    await calling;
    await web.hears(PHONE_HERTZ);
    const report = await web.exchanged(PACKETS);
    expectWebRtc(report);
    expect(report).toMatchObject({ candidate: 'relay', relayProtocol: protocol });
    await web.hangUp();
    await phone.event('CALL_CLOSED');
    await expectHeard(phone);
  });

  it('with a wrong password is no phone', async () => {
    const { username } = await registerAccount('web');
    await expect(browser.phone({ username, password: 'not the password' })).rejects.toThrow(/\(40[13]\)/);
  });

  it('that does not know the platform’s certificate authority does not connect', async () => {
    const account = await registerAccount('web');
    await webPhone({}, account);
    const stranger = await Browser.start({ trusting: false });
    try {
      await expect(stranger.phone(account)).rejects.toThrow('the connection failed');
    } finally {
      await stranger.stop();
    }
  });
});
