import { setImmediate as nextTurn } from 'node:timers/promises';
import { beforeEach, expect, it, jest } from '@jest/globals';
import type { DeviceDirectory } from '../../realtime/device-directory.js';
import { FakeClock } from '../../testing/clock.js';
import { FakeBus } from '../../testing/fake-bus.js';
import type { ContactsService } from '../contacts/contacts.service.js';
import { Reach } from './reach.js';

const areMutual = jest.fn<ContactsService['areMutual']>();
let changed: (one: string, other: string) => void;
let bus: FakeBus;
let reach: Reach;

beforeEach(() => {
  areMutual.mockReset().mockResolvedValue(true);
  bus = new FakeBus();
  // A device is called as its account, and a number.
  const devices = { find: async (id: string) => ({ id, accountId: id.split('-')[0] }) } as unknown as DeviceDirectory;
  const onChange: ContactsService['onChange'] = (listener) => {
    changed = listener;
  };
  reach = new Reach(devices, { areMutual, onChange } as unknown as ContactsService, new FakeClock(), bus);
});

it('keeps what it knows when others become contacts, or are no more', async () => {
  expect(await reach.mayReach('alice', 'bob-1')).toBe(true);
  changed('alice', 'carol');
  changed('carol', 'bob');
  bus.hear('contacts', 'carol dave');
  expect(reach.mayReach('alice', 'bob-1')).toBe(true);
  expect(areMutual).toHaveBeenCalledTimes(1);
});

it.each([
  ['here', () => changed('bob', 'alice')],
  ['at another process', () => bus.hear('contacts', 'alice bob')],
])('looks again when the two have changed it %s, for both and for all of their devices', async (_where, change) => {
  const asked = [
    ['alice', 'bob-1'],
    ['alice', 'bob-2'],
    ['bob', 'alice-1'],
  ] as const;
  for (const [account, device] of asked) expect(await reach.mayReach(account, device)).toBe(true);
  change();
  areMutual.mockResolvedValue(false);
  for (const [account, device] of asked) expect(await reach.mayReach(account, device)).toBe(false);
});

it('tells other processes whom a change concerns, and no more', () => {
  changed('bob', 'alice');
  expect(bus.published).toEqual(['contacts alice bob']);
});

it('answers in the order of the questions, though something changes in between', async () => {
  const first = Promise.withResolvers<boolean>();
  areMutual.mockReturnValueOnce(first.promise).mockResolvedValue(false);
  const answers: [string, boolean][] = [];
  const ask = (name: string) =>
    void Promise.resolve(reach.mayReach('alice', 'bob-1')).then((may) => answers.push([name, may]));
  ask('before');
  await nextTurn();
  changed('bob', 'alice');
  ask('after');
  await nextTurn();
  expect(answers).toEqual([]);
  first.resolve(true);
  await nextTurn();
  expect(answers).toEqual([
    ['before', true],
    ['after', false],
  ]);
  // What was looked up before the change is not kept.
  expect(reach.mayReach('alice', 'bob-1')).toBe(false);
});

it('is not held up by a look-up that failed', async () => {
  const first = Promise.withResolvers<boolean>();
  areMutual.mockReturnValueOnce(first.promise);
  const before = Promise.resolve(reach.mayReach('alice', 'bob-1'));
  await nextTurn();
  changed('bob', 'alice');
  const after = reach.mayReach('alice', 'bob-1');
  first.reject(new Error('away'));
  await expect(before).rejects.toThrow('away');
  expect(await after).toBe(true);
});
