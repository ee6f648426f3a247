import { expect, it } from '@jest/globals';
import { testConfig } from '../testing/config.js';

it('what is relayed waits for as long as it makes sense, unless the settings say otherwise', () => {
  expect(testConfig().relay).toMatchObject({
    lifetimes: { call: 30, hangUp: 10, query: 60, sms: 86_400 },
    queueMax: 500,
  });
  const settings = { RELAY_CALL_SECONDS: '1', RELAY_HANG_UP_SECONDS: '2', RELAY_QUERY_SECONDS: '3' };
  expect(testConfig({ ...settings, RELAY_SMS_SECONDS: '4' }).relay.lifetimes).toEqual({
    ...{ call: 1, hangUp: 2, query: 3, sms: 4 },
  });
});

it('no more can wait for a device than its connection remembers', () => {
  expect(testConfig({ RELAY_QUEUE_MAX: '5000' }).relay.queueMax).toBe(5000);
  expect(() => testConfig({ RELAY_QUEUE_MAX: '5001' })).toThrow('RELAY_QUEUE_MAX');
});
