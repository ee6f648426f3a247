import { describe, expect, it } from '@jest/globals';
import { delayMs, readEvent, secondsOf, timestampOf } from './call-event.js';

describe('an event of the call server', () => {
  const event = { kind: 'ended', call_id: 'x', from_username: 'Alice', to_username: 'BOB', at: '1795894484.000123' };

  it('is read without losing a microsecond, whatever the case of its names', () => {
    expect(readEvent({ ...event, status: 603, ruid: 'uloc-1' })).toEqual({
      ...{ kind: 'ended', callId: 'x', from: 'alice', to: 'bob', callType: null, status: 603, contact: 'uloc-1' },
      ...{ at: '2026-11-28T19:34:44.000123Z', seconds: 1_795_894_484.000123 },
    });
  });

  it.each([0, 199, 700, 2 ** 31, 486.5, '486'])('has no status %p', (status) => {
    expect(readEvent({ ...event, status })).toMatchObject({ kind: 'ended', status: null });
  });

  it.each([
    null,
    'ended',
    [],
    { ...event, kind: 'constructor' },
    { ...event, kind: 'push' },
    { ...event, call_id: '' },
    { ...event, call_id: 'x'.repeat(513) },
    { ...event, call_id: 'a\u0000b' },
    { ...event, from_username: 7 },
    { ...event, at: 1_795_894_484 },
    { ...event, at: '1e9' },
  ])('is none: %j', (value) => {
    expect(readEvent(value)).toBeUndefined();
  });
});

it('a time has as many decimals as it was given, up to six', () => {
  expect(timestampOf('0')).toBe('1970-01-01T00:00:00.000000Z');
  expect(timestampOf('1.5')).toBe('1970-01-01T00:00:01.500000Z');
  expect([secondsOf('1.5'), secondsOf('1.1234567'), secondsOf('-1'), secondsOf(1)]).toEqual([
    ...[1.5, undefined, undefined, undefined],
  ]);
});

it('a delay that can be none is taken for none', () => {
  expect(delayMs(1, 1.25)).toBe(250);
  for (const [at, sentAt] of [
    [2, 1],
    [0, 90_000],
    [undefined, 1],
    [1, undefined],
  ])
    expect(delayMs(at, sentAt)).toBe(0);
});
