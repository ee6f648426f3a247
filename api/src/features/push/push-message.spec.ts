import { describe, expect, it } from '@jest/globals';
import { messageOf } from './push-message.js';
import type { PushNotification } from './push-notification.js';

const NOW = new Date('2026-11-28T20:00:00Z');
const in30s = new Date(NOW.getTime() + 30_000);

const call = (changes: object = {}): PushNotification => ({
  kind: 'call',
  callId: 'c@1',
  callerUsername: 'bob',
  callerName: 'Bob',
  callType: 'audio',
  expiresAt: in30s,
  ...changes,
});
const dataOf = (notification: PushNotification, showCaller = true) => messageOf(notification, showCaller, NOW).data;

describe('what a device is told', () => {
  it('of a call names the caller only where that is wanted', () => {
    const data = { type: 'call', call_id: 'c@1', call_type: 'audio', expires_at: '2026-11-28T20:00:30.000Z' };
    expect(dataOf(call(), false)).toEqual(data);
    expect(dataOf(call())).toEqual({ ...data, caller_username: 'bob', caller_name: 'Bob' });
    expect(dataOf(call({ callerName: null }))).toEqual({ ...data, caller_username: 'bob' });
  });

  it('of a call fits into every provider, whatever the caller calls himself', () => {
    const wild = ['"\r\n\\'.repeat(512), '\u0000'.repeat(2048), '👩‍👩‍👧'.repeat(256), 'ü'.repeat(2048)];
    for (const callerName of wild) {
      const data = dataOf(call({ callerName, callId: 'c'.repeat(512), callerUsername: 'u'.repeat(128) }));
      expect([...(data.caller_name ?? '')]).toHaveLength(100);
      expect(data.caller_name?.isWellFormed()).toBe(true);
      expect(Buffer.byteLength(JSON.stringify(data))).toBeLessThan(3900);
    }
  });

  it('rings for a call, and for nothing else', () => {
    const others: PushNotification[] = [
      { kind: 'call_ended', callId: 'c@1', reason: 'missed' },
      { kind: 'call_ended', callId: 'c@1', reason: 'cancelled' },
      { kind: 'message', urgent: true },
      { kind: 'test' },
    ];
    expect([call(), ...others].map((kind) => messageOf(kind, true, NOW).rings)).toEqual([
      ...[true, false, false, false, false],
    ]);
  });

  it('is shown when there is something to be seen, and lasts as long as that', () => {
    const ended = (reason: 'missed' | 'cancelled') =>
      messageOf({ kind: 'call_ended', callId: 'c', reason }, false, NOW);
    expect(ended('missed')).toMatchObject({ shown: 'Missed call', expiresAt: new Date('2026-11-29T20:00:00Z') });
    expect(ended('cancelled')).toMatchObject({
      shown: null,
      urgent: true,
      expiresAt: new Date('2026-11-28T20:01:00Z'),
    });
    expect(messageOf({ kind: 'message', urgent: false }, false, NOW)).toMatchObject({ shown: null, urgent: false });
    expect(messageOf(call(), false, NOW)).toMatchObject({ expiresAt: in30s });
  });
});
