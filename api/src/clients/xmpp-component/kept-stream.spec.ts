import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import type { Element } from '@xmpp/xml';
import { Secret } from '../../common/secret.js';
import { ComponentListener } from '../../testing/component-listener.js';
import { until } from '../../testing/until.js';
import { type KeepTimes, KeptStream } from './kept-stream.js';

const SECRET = 'a-secret-of-the-component';
const QUICK: KeepTimes = { firstPauseMs: 10, longestPauseMs: 40, quietMs: 10_000 };

class Journal extends Logger {
  readonly lines: string[] = [];
  override log(line: string): void {
    this.lines.push(line);
  }
  override warn(line: string): void {
    this.lines.push(line);
  }
}

describe('a component’s stream', () => {
  let listener: ComponentListener;
  let stream: KeptStream | undefined;
  let stanzas: string[];
  let journal: Journal;

  beforeEach(async () => {
    listener = await ComponentListener.start(SECRET);
    stanzas = [];
    journal = new Journal();
  });
  afterEach(async () => {
    await stream?.stop();
    stream = undefined;
    await listener.stop();
  });

  function open(times = QUICK, secret = SECRET, patienceMs = 5000): KeptStream {
    const { port } = listener;
    const options = { host: '127.0.0.1', port, name: 'push.veil.test', secret: new Secret(secret), patienceMs };
    const keep = (stanza: Element) => stanzas.push(stanza.toString());
    stream = new KeptStream(options, 'veil.test', keep, journal, times);
    stream.start();
    return stream;
  }

  const connected = () => until(() => stream?.connected === true);

  it('is let in by its secret, and takes stanzas', async () => {
    open();
    await connected();
    expect(listener.received).toContain("to='push.veil.test'");
    expect(listener.received).not.toContain(SECRET);
    listener.send("<iq type='set' id='1'/><message/>");
    await until(() => stanzas.length === 2);
    expect(journal.lines).toEqual(['connected as push.veil.test']);
  });

  it('is not let in by another, says so once, and tries again', async () => {
    open(QUICK, 'another-secret-than-it');
    await until(() => listener.connections > 2);
    expect(stream?.connected).toBe(false);
    expect(journal.lines).toEqual(['no connection to the component listener of ejabberd: it said not-authorized']);
  });

  it.each([
    ['the connection breaks', () => listener.cut()],
    ['the server ends the stream', () => listener.send('</stream:stream>')],
    ['what comes is no XML', () => listener.send('<iq></message>')],
    ['what comes is too large', () => listener.send(`<iq>${'x'.repeat(70_000)}`)],
  ])('is opened again when %s', async (_, fault) => {
    open();
    await connected();
    fault();
    await until(() => listener.connections === 2);
    await connected();
    listener.send('<message/>');
    await until(() => stanzas.length === 1);
  });

  it('is opened again when the server has fallen silent', async () => {
    open({ ...QUICK, quietMs: 50 });
    await connected();
    await until(() => listener.connections === 2);
    expect(journal.lines).toContain('no connection to the component listener of ejabberd: it fell silent');
  });

  it('stays open while the server answers pings, which are nobody’s business', async () => {
    open({ ...QUICK, quietMs: 100 });
    await connected();
    for (let pings = 1; pings <= 3; pings += 1) {
      await until(() => listener.received.split('urn:xmpp:ping').length > pings);
      listener.send("<iq type='result' id='ping' from='veil.test' to='push.veil.test'/>");
    }
    expect([listener.connections, stanzas]).toEqual([1, []]);
  });

  it('is opened once there is a server', async () => {
    const { port } = listener;
    open();
    await connected();
    await listener.stop();
    await until(() => stream?.connected === false);
    listener = await ComponentListener.start(SECRET, port);
    await connected();
  });

  it('gives a server up that says nothing, and tries again', async () => {
    listener.welcoming = false;
    open(QUICK, SECRET, 50);
    await until(() => listener.connections === 2);
  });

  it('ends with what the server had sent', async () => {
    open();
    await connected();
    listener.send("<iq type='set' id='last'/>");
    await stream?.stop();
    expect(listener.received).toContain('</stream:stream>');
    expect(stanzas).toHaveLength(1);
    expect(stream?.connected).toBe(false);
  });

  it('ends where it was not let in yet, and between two attempts', async () => {
    listener.welcoming = false;
    open();
    await until(() => listener.received.includes('</handshake>'));
    await stream?.stop();
    open({ ...QUICK, firstPauseMs: 10_000, longestPauseMs: 10_000 });
    await until(() => listener.connections === 2);
    listener.cut();
    await until(() => journal.lines.length === 1);
    await stream?.stop();
    expect(listener.connections).toBe(2);
  });
});
