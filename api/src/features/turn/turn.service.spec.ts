import { createHmac } from 'node:crypto';
import { expect, it } from '@jest/globals';
import { FakeClock } from '../../testing/clock.js';
import { testConfig, testEnvironment } from '../../testing/config.js';
import { TurnService } from './turn.service.js';

it('gives credentials that coturn accepts until they expire, under a pseudonym', () => {
  const clock = new FakeClock();
  const service = new TurnService(clock, testConfig({ TURN_DOMAIN: 'turn.veil.test', TURN_TTL_SECONDS: '3600' }));
  const caller = { accountId: '0b9f', username: 'alice', jid: 'alice@veil.test', sessionId: 's', deviceId: 'd' };
  const { username, password, ttl, uris } = service.credentials(caller);
  expect(username).toBe(`${clock.seconds() + 3600}:0b9f`);
  expect(password).toBe(createHmac('sha1', testEnvironment.TURN_SECRET).update(username).digest('base64'));
  expect(ttl).toBe(3600);
  expect(uris).toEqual([
    'turn:turn.veil.test:3478?transport=udp',
    'turn:turn.veil.test:3478?transport=tcp',
    'turns:turn.veil.test:5349?transport=tcp',
  ]);
});
