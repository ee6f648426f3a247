import { expect, it } from '@jest/globals';
import { judgeMedia } from './call.js';

const heard = { sent: 50, heardByCaller: 50, heardByCallee: 49, relay: { host: '198.51.100.7', port: 20_000 } };
const PRIVATE = { host: '10.0.0.5', port: 20_000 };

it.each([
  ['ok', {}, 'heard 50 and 49'],
  ['warning', { heardByCallee: 30 }, '20 of 50'],
  ['fault', { heardByCaller: 0 }, 'the caller hears nothing'],
  ['fault', { heardByCallee: 0 }, 'the callee hears nothing'],
  ['fault', { heardByCaller: 0, heardByCallee: 0 }, 'without any sound'],
])('is %s with %j', (severity, changes, detail) => {
  const verdict = judgeMedia({ ...heard, ...changes }, 'api.example.com');
  expect(verdict).toMatchObject({ severity, detail: expect.stringContaining(detail) });
});

it('names the setting when the relay is where nobody else gets to, and the ports when it is on the Internet', () => {
  const silent = { ...heard, heardByCaller: 0, heardByCallee: 0 };
  expect(judgeMedia({ ...silent, relay: PRIVATE }, 'api.example.com').remedy).toMatch(/MEDIA_IP is 10\.0\.0\.5/);
  expect(judgeMedia(silent, 'api.example.com').remedy).toMatch(/RTP_MIN_PORT/);
});
