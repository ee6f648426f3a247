import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import xml from '@xmpp/xml';
import { Metrics } from '../../common/metrics.js';
import { ComponentListener } from '../../testing/component-listener.js';
import { testConfig, testEnvironment } from '../../testing/config.js';
import { until } from '../../testing/until.js';
import { XmppComponentClient } from './xmpp-component.client.js';

describe('the component', () => {
  let listener: ComponentListener;
  let component: XmppComponentClient;
  let metrics: Metrics;

  beforeEach(async () => {
    Logger.overrideLogger(false);
    listener = await ComponentListener.start(testEnvironment.XMPP_COMPONENT_SECRET);
    metrics = new Metrics();
    component = new XmppComponentClient(testConfig({ XMPP_COMPONENT_PORT: String(listener.port) }), true, metrics);
    component.onApplicationBootstrap();
    await until(() => component.connected);
  });
  afterEach(async () => {
    component.onModuleDestroy();
    await component.beforeApplicationShutdown();
    await listener.stop();
  });

  const request = (attributes: string, payload = "<ping xmlns='urn:xmpp:ping'/>") =>
    listener.send(`<iq from='veil.test' to='push.veil.test' ${attributes}>${payload}</iq>`);
  /** What came last, of the stanzas. */
  const answered = async (id: string): Promise<string> => {
    await until(() => listener.received.includes(`id="${id}"`));
    return listener.received.slice(listener.received.lastIndexOf('<iq'));
  };

  it('answers requests as its handler says', async () => {
    component.onIq(async (from, type, payload) => ({ result: xml('said', { by: from, type }, payload.getName()) }));
    request("type='get' id='1'");
    expect(await answered('1')).toBe(
      '<iq type="result" id="1" from="push.veil.test" to="veil.test"><said by="veil.test" type="get">ping</said></iq>',
    );
    component.onIq(async () => ({ error: { type: 'cancel', condition: 'item-not-found' } }));
    request("type='set' id='2'");
    expect(await answered('2')).toContain(
      '<error type="cancel"><item-not-found xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/></error>',
    );
  });

  it('says that it may be tried again when the handler fails, and not why', async () => {
    component.onIq(async () => {
      throw new Error('the password of the database is wrong');
    });
    request("type='set' id='1'");
    const answer = await answered('1');
    expect(answer).toContain('<error type="wait"><internal-server-error');
    expect(answer).not.toContain('password');
  });

  it('refuses requests while nobody answers them, for others, and without exactly one payload', async () => {
    request("type='get' id='early'");
    expect(await answered('early')).toContain('service-unavailable');
    component.onIq(async () => ({}));
    listener.send("<iq from='veil.test' to='else@push.veil.test' type='get' id='else'><a xmlns='a'/></iq>");
    expect(await answered('else')).toContain('service-unavailable');
    for (const [id, payload] of Object.entries({ none: '', two: '<a/><b/>' })) {
      request(`type='get' id='${id}'`, payload);
      expect(await answered(id)).toContain('bad-request');
    }
    request("type='strange' id='strange'");
    expect(await answered('strange')).toContain('bad-request');
  });

  it('refuses messages, and answers neither errors, results nor presence', async () => {
    component.onIq(async () => ({}));
    listener.send("<presence from='a@veil.test' to='push.veil.test' id='p'/>");
    listener.send("<message from='a@veil.test' to='push.veil.test' type='error' id='e'/>");
    listener.send("<iq from='a@veil.test' to='push.veil.test' type='result' id='r'/>");
    listener.send("<message from='a@veil.test' to='push.veil.test' id='m'/>");
    await until(() => listener.received.includes('id="m"'));
    expect(listener.received).toContain('<message type="error" id="m" from="push.veil.test" to="a@veil.test">');
    expect(listener.received).not.toMatch(/id="[per]"/);
  });

  it('sends messages while it is connected', async () => {
    expect(component.sendMessage('a@veil.test', xml('x', { xmlns: 'urn:x' }, '<&>'))).toBe(true);
    await until(() => listener.received.includes('</message>'));
    expect(listener.received).toContain(
      '<message from="push.veil.test" to="a@veil.test"><x xmlns="urn:x">&lt;&amp;&gt;</x></message>',
    );
    expect(await metrics.text()).toContain('veil_xmpp_component_connected 1');
    await listener.stop();
    await until(() => !component.connected);
    expect(component.sendMessage('a@veil.test', xml('x'))).toBe(false);
    listener = await ComponentListener.start(testEnvironment.XMPP_COMPONENT_SECRET);
  });

  it('finishes what had come when it ends', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    let finished = false;
    component.onIq(async () => {
      await promise;
      finished = true;
      return {};
    });
    request("type='set' id='1'");
    component.onModuleDestroy();
    await until(() => listener.received.includes('</stream:stream>'));
    resolve();
    await component.beforeApplicationShutdown();
    expect(finished).toBe(true);
  });
});
