/**
 * Files and keys: an upload that others fetch over HTTPS, and the OMEMO keys that others encrypt with.
 */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Account, registerAccount } from '../support/api.js';
import { https } from '../support/https.js';
import { platform } from '../support/platform.js';
import { until } from '../support/wait.js';
import { closeXmppClients, connectAll, XmppClient } from '../support/xmpp.js';

const MEGABYTE = 1024 * 1024;

let alice: Account;
let bob: Account;
let a: XmppClient;
let b: XmppClient;

beforeAll(async () => {
  [alice, bob] = await Promise.all([registerAccount('alice'), registerAccount('bob')]);
  [a, b] = await connectAll(alice, bob);
});

afterAll(closeXmppClients);

describe('a file', () => {
  it('is found by asking the server for its services', async () => {
    const service = `upload.${platform.domain}`;
    expect(await a.services(platform.domain)).toContain(service);
    expect(await a.features(service)).toContain('urn:xmpp:http:upload:0');
  });

  it('is uploaded, and fetched by anybody who has its address', async () => {
    const photo = randomBytes(3 * MEGABYTE);
    const slot = await a.uploadSlot('Ünsere Katze.jpg', photo.length);
    expect(slot.put).toMatch(new RegExp(`^https://[^/]+:${platform.ports.xmppHttps}/upload/`));
    expect((await https.put(slot.put, photo)).status).toBe(201);

    const fetched = await https.get(slot.get, { responseType: 'arraybuffer' });
    expect(fetched.status).toBe(200);
    expect(Buffer.from(fetched.data).equals(photo)).toBe(true);
  });

  it('never runs as a page of the server', async () => {
    const page = Buffer.from('<script>document.title = "mine"</script>');
    const slot = await a.uploadSlot('page.html', page.length);
    await https.put(slot.put, page);
    const { headers } = await https.get(slot.get);
    expect(headers['content-security-policy']).toContain('sandbox');
    expect(headers['x-content-type-options']).toBe('nosniff');
  });

  it('may be fetched and uploaded by a web page of another host', async () => {
    const slot = await a.uploadSlot('notes.txt', 4);
    const preflight = await https.options(slot.put, { headers: { origin: 'https://web.example' } });
    expect(preflight.headers['access-control-allow-origin']).toBe('*');
    expect(preflight.headers['access-control-allow-methods']).toContain('PUT');
  });

  it('of 100 MB is the largest', async () => {
    await expect(a.uploadSlot('film.mp4', 100 * MEGABYTE)).resolves.toHaveProperty('put');
    await expect(a.uploadSlot('film.mp4', 100 * MEGABYTE + 1)).rejects.toThrow(/^not-acceptable/);
  });

  it('is refused when it is larger than was announced, or was never announced', async () => {
    const slot = await a.uploadSlot('small.bin', 10);
    expect((await https.put(slot.put, randomBytes(1000))).status).toBeGreaterThanOrEqual(400);
    expect((await https.get(slot.get)).status).toBe(404);
    const unannounced = slot.put.replace(/\/upload\/.*/, `/upload/${'0'.repeat(40)}/${'a'.repeat(40)}/x.bin`);
    expect((await https.put(unannounced, randomBytes(10))).status).toBe(403);
  });

  it('cannot be reached outside the folder, nor listed', async () => {
    const base = `https://${platform.domain}:${platform.ports.xmppHttps}/upload`;
    for (const path of ['/', '/..%2f..%2fetc%2fejabberd.yml', '/%2e%2e/etc/ejabberd.yml']) {
      expect((await https.get(base + path)).status).toBeGreaterThanOrEqual(400);
    }
  });
});

describe('OMEMO keys', () => {
  const bundle = (key: string) => `<bundle xmlns="urn:xmpp:omemo:2"><ik>${key}</ik></bundle>`;

  it('of version 2 are read by somebody who is no contact: the device list and each bundle', async () => {
    const devices =
      '<devices xmlns="urn:xmpp:omemo:2"><device id="12345"/><device id="67890" label="Tablet"/></devices>';
    const options = { 'pubsub#access_model': 'open' };
    await a.publish('urn:xmpp:omemo:2:devices', 'current', devices, options);
    await a.publish('urn:xmpp:omemo:2:bundles', '12345', bundle('a2V5LW9uZQ=='), options);
    await a.publish('urn:xmpp:omemo:2:bundles', '67890', bundle('a2V5LXR3bw=='), options);

    const [list] = await b.items(alice.jid, 'urn:xmpp:omemo:2:devices');
    expect(list?.payload).toMatch(/id="12345".*id="67890"/s);
    const bundles = await b.items(alice.jid, 'urn:xmpp:omemo:2:bundles');
    expect(new Map(bundles.map((item) => [item.id, /[\w=]{12}/.exec(item.payload)?.[0]]))).toEqual(
      new Map([
        ['12345', 'a2V5LW9uZQ=='],
        ['67890', 'a2V5LXR3bw=='],
      ]),
    );
  });

  it('of the version before are read too', async () => {
    const namespace = 'eu.siacs.conversations.axolotl';
    await a.publish(`${namespace}.devicelist`, 'current', `<list xmlns="${namespace}"><device id="111"/></list>`);
    await a.publish(`${namespace}.bundles:111`, 'current', `<bundle xmlns="${namespace}"><preKeyPublic/></bundle>`);
    expect((await b.items(alice.jid, `${namespace}.devicelist`))[0]?.payload).toContain('111');
    expect((await b.items(alice.jid, `${namespace}.bundles:111`))[0]?.payload).toContain('preKeyPublic');
  });

  it('are for their owner alone to change', async () => {
    const forged = '<devices xmlns="urn:xmpp:omemo:2"><device id="666"/></devices>';
    const publish = `<publish node="urn:xmpp:omemo:2:devices"><item id="current">${forged}</item></publish>`;
    const pubsub = `<pubsub xmlns="http://jabber.org/protocol/pubsub">${publish}</pubsub>`;
    await expect(b.iq('set', pubsub, alice.jid)).rejects.toThrow(/^(forbidden|not-allowed)/);
    expect((await b.items(alice.jid, 'urn:xmpp:omemo:2:devices'))[0]?.payload).not.toContain('666');
  });

  it('reach a contact at once, and one that was away on return', async () => {
    const [carol, dave] = await Promise.all([registerAccount('carol'), registerAccount('dave')]);
    const device = (id: number) => `<devices xmlns="urn:xmpp:omemo:2"><device id="${id}"/></devices>`;
    const interested = { interests: ['urn:xmpp:omemo:2:devices'] };
    const [c, d] = await Promise.all([XmppClient.connect(carol), XmppClient.connect(dave, interested)]);
    await d.presence(carol.jid, 'subscribe');
    await until('Dave sees Carol', () => d.presences.some((p) => p.from === c.jid && p.type === 'available'));
    // Her server learns from his presence what he is interested in.
    await until('Carol sees Dave', () => c.presences.some((p) => p.from === d.jid && p.type === 'available'));

    await c.publish('urn:xmpp:omemo:2:devices', 'current', device(111));
    await d.received("Carol's first device", (m) => m.node === 'urn:xmpp:omemo:2:devices' && m.xml.includes('111'));
    await d.close();
    await c.publish('urn:xmpp:omemo:2:devices', 'current', device(222));
    const back = await XmppClient.connect(dave, interested);
    await back.received("Carol's new device", (m) => m.node === 'urn:xmpp:omemo:2:devices' && m.xml.includes('222'));
  });
});
