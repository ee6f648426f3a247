import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { Metrics } from '../../common/metrics.js';
import { FakeClock } from '../../testing/clock.js';
import type { PushNotification, PushOutcome, PushResult } from '../push/push-notification.js';
import { COALESCING_MS, WakeUps } from './wake-ups.js';

const phone = { accountId: 'bob', deviceId: 'phone' };

class Sender {
  readonly sent: string[] = [];
  result: PushResult | Error = 'accepted';

  async send(accountId: string, notification: PushNotification, to: readonly string[] = []): Promise<PushOutcome[]> {
    const urgent = notification.kind === 'message' && notification.urgent;
    this.sent.push(`${accountId} ${to.join()} ${urgent ? 'urgent' : 'later'}`);
    const { result } = this;
    if (result instanceof Error) throw result;
    return to.map((deviceId) => ({ deviceId, provider: 'apns', result, detail: '', at: new Date(0) }));
  }
}

describe('wake-ups', () => {
  let clock: FakeClock;
  let sender: Sender;
  let wakeUps: WakeUps;
  let metrics: Metrics;
  beforeAll(() => Logger.overrideLogger(false));
  beforeEach(() => {
    clock = new FakeClock();
    sender = new Sender();
    metrics = new Metrics();
    wakeUps = new WakeUps(sender, clock, metrics);
  });

  const wake = (urgent = true, node = 'node') => wakeUps.wake(node, phone, urgent);

  it('tell a device at once, and of what follows when its time is over', async () => {
    expect([await wake(), await wake(), await wake()]).toEqual(['accepted', 'coalesced', 'coalesced']);
    clock.advance(COALESCING_MS - 1);
    await wakeUps.tellLater();
    expect(sender.sent).toEqual(['bob phone urgent']);
    clock.advance(1);
    await wakeUps.tellLater();
    expect(sender.sent).toEqual(['bob phone urgent', 'bob phone urgent']);
    expect(await metrics.text()).toContain('veil_chat_pushes_total{outcome="coalesced"} 2');
  });

  it('make few of a flood', async () => {
    for (let messages = 0; messages < 600; messages += 1) {
      await wake();
      clock.advance(100);
      await wakeUps.tellLater();
    }
    // At the beginning, and once in each ten of the sixty seconds.
    expect(sender.sent).toHaveLength(7);
  });

  it('are once more at once after a quiet time', async () => {
    await wake();
    clock.advance(COALESCING_MS);
    await wakeUps.tellLater();
    expect(await wake()).toBe('accepted');
    expect(sender.sent).toHaveLength(2);
  });

  it('count each device for itself', async () => {
    expect([await wake(true, 'phone'), await wake(true, 'tablet')]).toEqual(['accepted', 'accepted']);
  });

  it('let nothing urgent wait for what is not', async () => {
    expect([await wake(false), await wake(true), await wake(false)]).toEqual(['accepted', 'accepted', 'coalesced']);
    clock.advance(COALESCING_MS);
    await wakeUps.tellLater();
    expect(sender.sent).toEqual(['bob phone later', 'bob phone urgent', 'bob phone later']);
  });

  it('are urgent later when something urgent came', async () => {
    for (const urgent of [true, false, true, false]) await wake(urgent);
    clock.advance(COALESCING_MS);
    await wakeUps.tellLater();
    expect(sender.sent.at(-1)).toBe('bob phone urgent');
  });

  it.each(['unregistered', 'failed', 'rejected', 'not_configured'] as const)('say %s', async (result) => {
    sender.result = result;
    expect(await wake()).toBe(result);
  });

  it('take a device that nobody knows any more for unregistered', async () => {
    sender.send = async () => [];
    expect(await wake()).toBe('unregistered');
  });

  it('fail with the sender, and forget no other device for it', async () => {
    await Promise.all([wake(true, 'a'), wake(true, 'b')]);
    await Promise.all([wake(true, 'a'), wake(true, 'b')]);
    sender.result = new Error('the database is away');
    clock.advance(COALESCING_MS);
    await wakeUps.tellLater();
    expect(sender.sent).toHaveLength(4);
    await expect(wake(true, 'c')).rejects.toThrow('away');
  });

  it('leave nothing when the process ends, and put nothing off then', async () => {
    await wake();
    await wake();
    wakeUps.onModuleDestroy();
    expect(await wake()).toBe('accepted');
    await wake(true, 'tablet');
    await wake(true, 'tablet');
    await wakeUps.beforeApplicationShutdown();
    expect(sender.sent).toHaveLength(4);
  });
});
