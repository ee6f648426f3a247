import { describe, expect, it } from '@jest/globals';
import { readDeviceId, wireId } from './device-id.js';

describe('ids of devices', () => {
  it.each([
    ['7', 7],
    ['2147483647', 2147483647],
    ['07', '07'],
    ['0', '0'],
    ['phone-1', 'phone-1'],
  ])('%s is written as %p', (id, written) => {
    expect(wireId(id)).toBe(written);
  });

  it.each([7, '7'])('%p is read as the same device', (value) => {
    expect(readDeviceId(value)).toBe('7');
  });

  it.each([0, -1, 1.5, Number.NaN, 2 ** 60, '', ' ', 'a b', 'x'.repeat(129), null, undefined, {}, ['7'], true])(
    '%p names none',
    (value) => {
      expect(readDeviceId(value)).toBeUndefined();
    },
  );
});
