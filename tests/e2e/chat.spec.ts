/**
 * Two people chat: register with the API, log in over XMPP, write to each other, miss nothing while away.
 */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Account, registerAccount } from '../support/api.js';
import { waitsOffline } from '../support/databases.js';
import { platform } from '../support/platform.js';
import { until } from '../support/wait.js';
import { bodyOf, closeAll, closeXmppClients, connectAll, XmppClient } from '../support/xmpp.js';
import { XmppStream } from '../support/xmpp-stream.js';

/** A PNG of one transparent pixel. */
const PIXEL = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==',
  'base64',
);

let alice: Account;
let bob: Account;

beforeAll(async () => {
  [alice, bob] = await Promise.all([registerAccount('alice'), registerAccount('bob')]);
});

afterAll(closeXmppClients);

describe('logging in', () => {
  it('succeeds with SCRAM-SHA-256 over STARTTLS, with stream management', async () => {
    const { session } = await XmppClient.connect(alice, { resource: 'login' });
    expect(session).toMatchObject({
      jid: `${alice.username}@${platform.domain}/login`,
      mechanism: 'SCRAM-SHA-256',
      tls: 'TLSv1.3',
      streamManagement: true,
    });
  });

  it('succeeds with SCRAM-SHA-256-PLUS, bound to the TLS connection', async () => {
    const { session } = await XmppClient.connect(alice, { mechanism: 'SCRAM-SHA-256-PLUS', tlsVersion: '1.2' });
    expect(session).toMatchObject({ mechanism: 'SCRAM-SHA-256-PLUS', tls: 'TLSv1.2' });
  });

  it('succeeds on the port with TLS from the first byte', async () => {
    const { session } = await XmppClient.connect(alice, { directTls: true });
    expect(session).toMatchObject({ mechanism: 'SCRAM-SHA-256', tls: 'TLSv1.3' });
  });

  it('offers SCRAM-SHA-256 with and without channel binding, and nothing else', async () => {
    const { session } = await XmppClient.connect(alice);
    expect(session.offered).toEqual(['SCRAM-SHA-256', 'SCRAM-SHA-256-PLUS']);
  });

  it('is refused with a wrong password, and for nobody in particular', async () => {
    const stranger = { jid: `nobody_at_all@${platform.domain}`, password: alice.password };
    await expect(XmppClient.connect({ ...alice, password: bob.password })).rejects.toThrow(/^not-authorized/);
    await expect(XmppClient.connect(stranger)).rejects.toThrow(/^not-authorized/);
  });

  it('is refused with PLAIN, right password or not', async () => {
    const stream = XmppStream.connect();
    await stream.open();
    await stream.startTls();
    expect(await stream.open()).not.toContain('>PLAIN<');
    const credentials = Buffer.from(`\0${alice.username}\0${alice.password}`).toString('base64');
    stream.write(`<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>${credentials}</auth>`);
    const [, condition] = await stream.read(/<failure[^>]*><([\w-]+)/);
    expect(condition).toBe('invalid-mechanism');
    stream.close();
  });

  it('is not possible before TLS, which is all that the first stream offers', async () => {
    const stream = XmppStream.connect();
    const features = await stream.open();
    expect(features).toMatch(/^<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required\/><\/starttls>$/);
    expect(await stream.authenticate(alice.username, alice.password)).toBe('encryption-required');
    stream.close();
  });
});

describe('a conversation', () => {
  it('goes both ways while both are there', async () => {
    const [a, b] = await connectAll(alice, bob);
    await a.send(bob.jid, 'Are you there?');
    const question = await b.receivedBody('Are you there?');
    expect(question).toMatchObject({ from: a.jid, type: 'chat', delayed: false });
    await b.send(question.from!, 'I am.');
    expect(await a.receivedBody('I am.')).toMatchObject({ from: b.jid, delayed: false });
    await closeAll(a, b);
  });

  it('reaches who was away: once on return, and again from the archive', async () => {
    const [a, away] = await connectAll(alice, bob);
    await away.close();
    await a.send(bob.jid, 'Call me when you are back');
    await waitsOffline(bob.username, 'Call me when you are back');

    const back = await XmppClient.connect(bob);
    const delivered = await back.receivedBody('Call me when you are back');
    expect(delivered).toMatchObject({ from: a.jid, delayed: true });

    const archived = (await back.archive(alice.jid)).filter((m) => bodyOf(m) === 'Call me when you are back');
    expect(archived.map((m) => m.stanzaId)).toEqual([delivered.stanzaId]);
    // The answer to the archive's query came after everything that was delivered: nothing came twice.
    expect(back.messages.filter((m) => bodyOf(m) === 'Call me when you are back')).toHaveLength(1);
    await closeAll(a, back);
  });

  it('is in the archive of both, and only of both', async () => {
    const carol = await registerAccount('carol');
    const [a, b, c] = await connectAll(alice, bob, carol);
    await a.send(bob.jid, 'Between the two of us');
    await b.receivedBody('Between the two of us');
    expect((await a.archive(bob.jid)).map(bodyOf)).toContain('Between the two of us');
    expect((await b.archive(alice.jid)).map(bodyOf)).toContain('Between the two of us');
    expect(await c.archive()).toEqual([]);
    // Asked for somebody else's archive, ejabberd looks into the caller's own.
    expect(await c.archiveOf(alice.jid)).toEqual([]);
    await closeAll(a, b, c);
  });

  it('is copied to the other devices of both (carbons)', async () => {
    const [a, b] = await connectAll(alice, bob);
    const laptop = await XmppClient.connect(alice, { resource: 'laptop' });
    const tablet = await XmppClient.connect(bob, { resource: 'tablet' });
    await Promise.all([laptop.enableCarbons(), tablet.enableCarbons()]);
    await a.send(b.jid, 'To this device');
    const sent = await laptop.received('a copy of what was sent', (m) => m.carbon === 'sent');
    const received = await tablet.received('a copy of what came', (m) => m.carbon === 'received');
    expect(sent.carried).toMatchObject({ from: a.jid, to: b.jid, body: 'To this device' });
    expect(received.carried).toMatchObject({ from: a.jid, to: b.jid, body: 'To this device' });
    await closeAll(a, b, laptop, tablet);
  });

  it('goes on after a connection broke, with what was written meanwhile (stream management)', async () => {
    const [a, b] = await Promise.all([XmppClient.connect(alice), XmppClient.connect(bob, { resource: 'phone' })]);
    await b.cut();
    await a.send(b.jid, 'Sent into the tunnel');
    expect(await b.resume()).toBe(true);
    await b.receivedBody('Sent into the tunnel');
    await b.send(alice.jid, 'Out of the tunnel');
    await a.receivedBody('Out of the tunnel');
    expect(b.messages.filter((m) => bodyOf(m) === 'Sent into the tunnel')).toHaveLength(1);
    await closeAll(a, b);
  });
});

describe('a contact', () => {
  it('is kept in the roster of both, and seen coming and going', async () => {
    const [dora, emil] = await Promise.all([registerAccount('dora'), registerAccount('emil')]);
    const [d, e] = await connectAll(dora, emil);
    await d.addContact(emil.jid, 'Emil');
    // slixmpp grants the request and asks back, as a client does whose user says yes.
    await d.presence(emil.jid, 'subscribe');
    await until('both know each other', async () => (await d.contacts())[0]?.subscription === 'both');
    expect(await d.contacts()).toEqual([{ jid: emil.jid, name: 'Emil', subscription: 'both' }]);
    expect((await e.contacts()).map((contact) => contact.jid)).toEqual([dora.jid]);
    await e.close();
    await until('Dora sees Emil leave', () =>
      d.presences.some((presence) => presence.from === e.jid && presence.type === 'unavailable'),
    );
    await d.close();
  });
});

describe('a profile', () => {
  it('has a vCard that others read', async () => {
    const [a, b] = await connectAll(alice, bob);
    await a.setVcard('Alice <& friends>');
    expect(await b.vcardName(alice.jid)).toBe('Alice <& friends>');
    await closeAll(a, b);
  });

  it('has an avatar: published as new clients do, it is in the vCard of old ones too', async () => {
    const [a, b] = await connectAll(alice, bob);
    const id = createHash('sha1').update(PIXEL).digest('hex');
    await a.publish(
      'urn:xmpp:avatar:data',
      id,
      `<data xmlns="urn:xmpp:avatar:data">${PIXEL.toString('base64')}</data>`,
    );
    const info = `<info bytes="${PIXEL.length}" id="${id}" type="image/png" width="1" height="1"/>`;
    await a.publish('urn:xmpp:avatar:metadata', id, `<metadata xmlns="urn:xmpp:avatar:metadata">${info}</metadata>`);
    await until('the vCard shows it', async () =>
      (await b.iq('get', '<vCard xmlns="vcard-temp"/>', alice.jid))?.includes(PIXEL.toString('base64')),
    );
    await closeAll(a, b);
  });

  it('keeps bookmarks as private XML and as a node that nobody else reads', async () => {
    const [a, b] = await connectAll(alice, bob);
    const room = `den@muc.${platform.domain}`;
    await a.storePrivate(`<storage xmlns="storage:bookmarks"><conference jid="${room}" name="Den"/></storage>`);
    expect(await a.private('<storage xmlns="storage:bookmarks"/>')).toContain(room);

    const bookmark = '<conference xmlns="urn:xmpp:bookmarks:1" name="Den"/>';
    await a.publish('urn:xmpp:bookmarks:1', room, bookmark);
    await a.publish('urn:xmpp:bookmarks:1', `attic@muc.${platform.domain}`, bookmark);
    const bookmarks = await a.items(alice.jid, 'urn:xmpp:bookmarks:1');
    expect(bookmarks.map((item) => item.id).sort()).toEqual([`attic@muc.${platform.domain}`, room]);
    for (const node of ['urn:xmpp:bookmarks:1', 'storage:bookmarks']) {
      await expect(b.items(alice.jid, node)).rejects.toThrow(/^(forbidden|not-allowed|item-not-found)/);
    }
    await closeAll(a, b);
  });
});
