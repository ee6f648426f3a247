import { setImmediate as nextTurn } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { Metrics } from '../common/metrics.js';
import { Problem } from '../common/problem.js';
import { type CountedBy, RateLimiter } from '../http/rate-limiter.js';
import { RATE_LIMITS, type RateLimitName } from '../http/rate-limits.js';
import { FakeClock } from '../testing/clock.js';
import { testConfig } from '../testing/config.js';
import { Bus } from './bus.js';
import { SharedLimits } from './shared-limits.js';

/** A bus within this process, of which each end may be cut off. */
class FakeBus extends Bus {
  connected = true;
  /** How many messages it has taken. */
  taken = 0;

  constructor(
    private readonly buses: FakeBus[],
    private readonly known: number,
  ) {
    super();
    buses.push(this);
  }

  get parts(): number {
    return this.connected ? 1 : this.known;
  }

  publish(topic: string, message: string): boolean {
    this.taken += 1;
    for (const other of this.buses) this.give(other, topic, message);
    return this.connected;
  }

  send(peer: string, topic: string, message: string): boolean {
    const other = this.buses.find(({ self }) => self === peer);
    if (other) this.give(other, topic, message);
    return this.connected;
  }

  comeBack(): void {
    this.connected = true;
    this.tellOfGap();
  }

  private give(other: FakeBus, topic: string, message: string): void {
    if (this.connected && other.connected && other !== this) other.deliver(topic, message, this.self);
  }
}

interface Process {
  limiter: RateLimiter;
  bus: FakeBus;
}

const PROCESSES = 2;
const MOST = RATE_LIMITS.login_failures.calls;
const SHARE = MOST / PROCESSES;
const caller: CountedBy = { address: '192.0.2.1', account: 'a' };
let clock: FakeClock;
let buses: FakeBus[];
let one: Process;
let other: Process;

beforeEach(() => {
  clock = new FakeClock();
  buses = [];
  one = start();
  other = start();
});

function start(): Process {
  const limiter = new RateLimiter(clock, testConfig({}), new Metrics());
  const bus = new FakeBus(buses, PROCESSES);
  new SharedLimits(limiter, bus, clock);
  return { limiter, bus };
}

/** How many of so many calls get through. */
function tryTo({ limiter }: Process, times: number, name: RateLimitName = 'login_failures', by = caller): number {
  let passed = 0;
  for (let call = 0; call < times; call += 1) {
    try {
      limiter.take(name, by);
      passed += 1;
    } catch (error) {
      expect(error).toBeInstanceOf(Problem);
      expect((error as Problem).options.retryAfterSeconds).toBeGreaterThan(0);
    }
  }
  return passed;
}

async function setApart(): Promise<void> {
  for (const bus of buses) bus.connected = false;
  await nextTurn();
}

describe('a limit that fails closed', () => {
  it('is counted by all processes together, whichever it is taken at', async () => {
    for (let call = 0; call < MOST; call += 1) {
      expect(tryTo(call % 3 === 0 ? one : other, 1)).toBe(1);
      await nextTurn();
    }
    expect([tryTo(one, 1), tryTo(other, 1)]).toEqual([0, 0]);
    expect(tryTo(other, 1, 'login_failures', { address: '192.0.2.2' })).toBe(1);
  });

  it('has back at the others what was given back', async () => {
    tryTo(one, MOST);
    await nextTurn();
    expect(other.limiter.calls('login_failures', caller)).toBe(MOST);
    for (let call = 0; call < 3; call += 1) one.limiter.giveBack('login_failures', caller);
    await nextTurn();
    expect(tryTo(other, MOST)).toBe(3);
  });

  it('gives back only what was counted here', async () => {
    tryTo(one, 2);
    await nextTurn();
    other.limiter.giveBack('login_failures', caller);
    await nextTurn();
    expect([one, other].map(({ limiter }) => limiter.calls('login_failures', caller))).toEqual([2, 2]);
  });

  it('begins anew everywhere at the same time', async () => {
    tryTo(one, 1);
    clock.advance(40_000);
    const late = start();
    tryTo(late, 1);
    await nextTurn();
    clock.advance(20_000);
    expect([one, other, late].map(({ limiter }) => limiter.calls('login_failures', caller))).toEqual([0, 0, 0]);
  });

  it('is known to a process that has just started', () => {
    tryTo(one, MOST);
    const late = start();
    late.bus.comeBack();
    expect(tryTo(late, 1)).toBe(0);
  });

  it('is told once for all that happens in a turn, and not at all for what is refused', async () => {
    tryTo(one, MOST);
    tryTo(one, MOST, 'login');
    await nextTurn();
    expect(one.bus.taken).toBe(1);
    tryTo(one, 100);
    await nextTurn();
    expect(one.bus.taken).toBe(1);
  });
});

describe('while the bus is away, a limit that fails closed', () => {
  it('lets the share of the process through and no more', async () => {
    await setApart();
    expect([tryTo(one, MOST), tryTo(other, MOST)]).toEqual([SHARE, SHARE]);
  });

  it('counts what was told before', async () => {
    tryTo(one, MOST - 5);
    await nextTurn();
    await setApart();
    expect([tryTo(one, MOST), tryTo(other, MOST)]).toEqual([0, 0]);
  });

  it('lets one call through where the share is less', async () => {
    const alone = new FakeBus([], 100);
    alone.connected = false;
    const limiter = new RateLimiter(clock, testConfig({}), new Metrics());
    new SharedLimits(limiter, alone, clock);
    expect(tryTo({ limiter, bus: alone }, MOST)).toBe(1);
  });

  it('is counted together afterwards, with what was counted meanwhile, whoever is back first', async () => {
    await setApart();
    tryTo(one, 6);
    tryTo(other, 4);
    await nextTurn();
    one.bus.comeBack();
    other.bus.comeBack();
    expect([one, other].map(({ limiter }) => limiter.calls('login_failures', caller))).toEqual([10, 10]);
    expect(tryTo(one, MOST)).toBe(MOST - 10);
    await nextTurn();
    expect(tryTo(other, 1)).toBe(0);
  });
});

it('a limit that fails open is counted by each process alone, and wholly while the bus is away', async () => {
  const { calls } = RATE_LIMITS.relay_commands;
  expect(tryTo(one, calls + 1, 'relay_commands')).toBe(calls);
  await nextTurn();
  await setApart();
  expect(tryTo(other, calls + 1, 'relay_commands')).toBe(calls);
  expect(one.bus.taken).toBe(0);
});

describe('of what comes over the bus', () => {
  const login = (...rest: unknown[]) => JSON.stringify([['login_failures', '192.0.2.1', ...rest]]);

  it.each([
    'no JSON',
    'null',
    '{}',
    '[null]',
    '[["no_such_limit","192.0.2.1",20,60000]]',
    '[["toString","192.0.2.1",20,60000]]',
    '[["relay_commands","a",120,60000]]',
    '[["login_failures",1,20,60000]]',
    login('20', 60_000),
    login(-20, 60_000),
    login(1.5, 60_000),
    login(20),
    login(20, 0),
    login(20, null),
    JSON.stringify([['login_failures', 'x'.repeat(1001), 20, 60_000]]),
  ])('%.60s is ignored', (message) => {
    one.bus.publish('limits', message);
    expect(tryTo(other, MOST)).toBe(MOST);
    expect([...other.limiter.counts()]).toHaveLength(1);
  });

  it('no window is longer than that of the limit', () => {
    one.bus.publish('limits', login(MOST, 1e12));
    expect(tryTo(other, 1)).toBe(0);
    clock.advance(RATE_LIMITS.login_failures.windowSeconds * 1000);
    expect(tryTo(other, 1)).toBe(1);
  });

  it('no more callers are remembered than of a process itself', () => {
    const callers = Array.from({ length: 50_001 }, (_, n) => ['login_failures', `caller ${n}`, MOST, 60_000]);
    one.bus.publish('limits', JSON.stringify(callers));
    const calls = (address: string) => other.limiter.calls('login_failures', { address });
    expect([calls('caller 50000'), calls('caller 0')]).toEqual([MOST, 0]);
  });
});
