import { describe, expect, it } from '@jest/globals';
import { Metrics } from '../common/metrics.js';
import { Problem } from '../common/problem.js';
import { FakeClock } from '../testing/clock.js';
import { testConfig } from '../testing/config.js';
import { RateLimiter } from './rate-limiter.js';
import { RATE_LIMITS } from './rate-limits.js';

const limiterOf = (clock: FakeClock, settings: NodeJS.ProcessEnv = {}) =>
  new RateLimiter(clock, testConfig(settings), new Metrics());

function refusalOf(call: () => void): Problem | undefined {
  try {
    call();
    return undefined;
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
}

it('lets the calls of a window pass, refuses the next with the time to wait, and begins anew', () => {
  const clock = new FakeClock();
  const limiter = limiterOf(clock);
  const login = () => limiter.take('login', { address: '192.0.2.1' });
  for (let call = 0; call < RATE_LIMITS.login.calls; call += 1) login();
  clock.advance(20_000);
  expect(refusalOf(login)?.options.retryAfterSeconds).toBe(40);
  expect(refusalOf(() => limiter.take('login', { address: '192.0.2.2' }))).toBeUndefined();
  clock.advance(40_000);
  expect(refusalOf(login)).toBeUndefined();
});

it('multiplies every limit by the factor', () => {
  const limiter = limiterOf(new FakeClock(), { RATE_LIMIT_FACTOR: '2' });
  const deletion = () => limiter.take('delete_account', { account: 'a' });
  for (let call = 0; call < 2 * RATE_LIMITS.delete_account.calls; call += 1) deletion();
  expect(refusalOf(deletion)?.code).toBe('rate_limited');
});

describe('one client behind many addresses', () => {
  const exhaust = (limiter: RateLimiter, addressOf: (call: number) => string) => {
    for (let call = 0; call < RATE_LIMITS.login.calls; call += 1) limiter.take('login', { address: addressOf(call) });
  };

  it('is counted once for a whole /64 of IPv6', () => {
    const limiter = limiterOf(new FakeClock());
    exhaust(limiter, (call) => `2001:db8:1:2::${call.toString(16)}`);
    expect(refusalOf(() => limiter.take('login', { address: '2001:db8:1:2:ffff::1' }))?.code).toBe('rate_limited');
    expect(refusalOf(() => limiter.take('login', { address: '2001:db8:1:3::1' }))).toBeUndefined();
  });

  it('is counted once for IPv4, and for IPv4 that IPv6 carries', () => {
    const limiter = limiterOf(new FakeClock());
    exhaust(limiter, (call) => (call % 2 === 0 ? '192.0.2.1' : '::ffff:192.0.2.1'));
    expect(refusalOf(() => limiter.take('login', { address: '::ffff:c000:201' }))?.code).toBe('rate_limited');
    expect(refusalOf(() => limiter.take('login', { address: '::ffff:192.0.2.2' }))).toBeUndefined();
  });
});

it('counts by device, and altogether', () => {
  const limiter = limiterOf(new FakeClock());
  for (let call = 0; call < RATE_LIMITS.pairing_of_device.calls; call += 1) {
    limiter.take('pairing_of_device', { device: 'a' });
  }
  expect(refusalOf(() => limiter.take('pairing_of_device', { device: 'a' }))?.code).toBe('rate_limited');
  expect(refusalOf(() => limiter.take('pairing_of_device', { device: 'b' }))).toBeUndefined();
  for (let call = 0; call < RATE_LIMITS.pairing.calls; call += 1) limiter.take('pairing', { server: '' });
  expect(refusalOf(() => limiter.take('pairing', { server: '' }))?.code).toBe('rate_limited');
});
