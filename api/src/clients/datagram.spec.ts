import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { expect, it } from '@jest/globals';
import { ask } from './datagram.js';

it('gives the answer', async () => {
  const server = createSocket('udp4');
  server.on('message', (message, { port, address }) => server.send(`re: ${message}`, port, address));
  server.bind(0, '127.0.0.1');
  await once(server, 'listening');
  expect((await ask('127.0.0.1', server.address().port, Buffer.from('hello'), 1000)).toString()).toBe('re: hello');
  server.close();
});

it('fails when nobody answers, when nobody listens, and when the name leads nowhere', async () => {
  const silent = createSocket('udp4');
  silent.bind(0, '127.0.0.1');
  await once(silent, 'listening');
  const question = Buffer.from('hello');
  await expect(ask('127.0.0.1', silent.address().port, question, 50)).rejects.toThrow('no answer');
  const { port } = silent.address();
  silent.close();
  await expect(ask('127.0.0.1', port, question, 500)).rejects.toThrow();
  await expect(ask('nowhere.invalid', 9, question, 2000)).rejects.toThrow();
});
