import { connect } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import axios from 'axios';
import WebSocket from 'ws';
import { certificateAuthority, platform, secret } from '../support/platform.js';
import { SipClient } from '../support/sip-client.js';
import { answers, rpc } from '../support/sip-server.js';
import { until } from '../support/wait.js';

const FLOODER = '127.0.0.66';

/** Opens a WebSocket; how the server answered: `open`, or the HTTP status of its refusal. */
function handshake(path: string, subprotocol?: string): Promise<string | number> {
  const socket = new WebSocket(`wss://localhost:${platform.ports.sipWss}${path}`, subprotocol ?? [], {
    ca: certificateAuthority(),
  });
  return new Promise((resolve) => {
    socket.once('open', () => resolve('open'));
    socket.once('unexpected-response', (_request, response) => resolve(response.statusCode ?? 0));
    socket.once('error', () => resolve('error'));
  }).finally(() => socket.terminate()) as Promise<string | number>;
}

describe('the WebSocket listener', () => {
  it('speaks SIP at /, and nothing else anywhere else', async () => {
    expect(await handshake('/', 'sip')).toBe('open');
    expect(await handshake('/', 'chat')).toBe(400);
    expect(await handshake('/')).toBe(400);
    expect(await handshake('/rpc', 'sip')).toBe(404);
  });
});

describe('JSON-RPC', () => {
  it('answers who knows the secret, and nobody else', async () => {
    expect((await rpc('core.uptime')).data.result.uptime).toBeGreaterThanOrEqual(0);

    for (const authorization of ['', 'Bearer ', `Bearer ${'0'.repeat(64)}`, secret('internal_secret')]) {
      const refused = await rpc('core.uptime', [], authorization);
      expect([refused.status, refused.data]).toEqual([401, '']);
    }
  });

  it('is not found at the public ports', async () => {
    const authorization = `Bearer ${secret('internal_secret')}`;
    const body = { jsonrpc: '2.0', id: 1, method: 'core.uptime', params: [] };
    const options = { headers: { authorization }, validateStatus: () => true, proxy: false as const };
    const answer = await axios.post(`http://${platform.host}:${platform.ports.sip}/rpc`, body, options);

    expect([answer.status, answer.data]).toEqual([404, '']);
  });

  it('is all that its port speaks: SIP is not answered there', async () => {
    const socket = connect(platform.ports.sipRpc, '127.0.0.1');
    let received = '';
    socket.setEncoding('utf8').on('data', (text: string) => {
      received += text;
    });
    const options = [
      `OPTIONS sip:${platform.domain} SIP/2.0`,
      'Via: SIP/2.0/TCP 127.0.0.1;branch=z9hG4bKx',
      'From: <sip:a@b>;tag=1',
    ];
    socket.write(
      `${[...options, 'To: <sip:b>', 'Call-ID: rpc', 'CSeq: 1 OPTIONS', 'Content-Length: 0'].join('\r\n')}\r\n\r\n`,
    );
    // HTTP on the same connection is answered in its turn: what came before it was not.
    socket.write('GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n');

    await until('HTTP is answered', () => received.includes(' 404 '));
    socket.destroy();

    expect(received).not.toContain('SIP/2.0 200');
  });
});

describe('a flood', () => {
  it('silences its own address for a while, and no other', async () => {
    const flooder = await SipClient.open({ username: 'anybody', password: '' }, 'udp', FLOODER);
    for (let sent = 0; sent < 300; sent += 1) flooder.send('OPTIONS', `sip:${platform.domain}`);

    await until('it is banned', async () => !(await answers(FLOODER)));
    expect(flooder.received.length).toBeLessThan(200);
    expect(await answers('127.0.0.1')).toBe(true);
    expect(await answers('127.0.0.67')).toBe(true);

    expect(await until('it is heard again', () => answers(FLOODER))).toBe(true);
    flooder.close();
  });
});
