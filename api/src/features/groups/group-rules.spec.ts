import { describe, expect, it } from '@jest/globals';
import { Problem } from '../../common/problem.js';
import {
  addMember,
  afterDeparture,
  changeRole,
  type GroupRole,
  type GroupState,
  leave,
  removeMember,
} from './group-rules.js';

const member = (accountId: string, role: GroupRole) => ({ accountId, jid: `${accountId}@veil.test`, role });

/** `owner:o admin:a member:m` */
const group = (text: string): GroupState => ({
  name: 'Family',
  members: text.split(' ').map((part) => {
    const [role = '', accountId = ''] = part.split(':');
    return member(accountId, role as GroupRole);
  }),
});

const text = (state: GroupState | null) =>
  state?.members.map(({ role, accountId }) => `${role}:${accountId}`).join(' ');

function codeOf(change: () => unknown): string {
  try {
    change();
    return 'done';
  } catch (error) {
    if (error instanceof Problem) return error.code;
    throw error;
  }
}

const family = group('owner:o admin:a member:m member:n');

describe('who may change a group', () => {
  it.each([
    ['o', 'owner', 'done'],
    ['a', 'member', 'done'],
    ['a', 'admin', 'forbidden'],
    ['m', 'member', 'forbidden'],
    ['stranger', 'member', 'not_found'],
  ] as const)('%s adds a %s: %s', (caller, role, outcome) => {
    expect(codeOf(() => addMember(family, caller, member('x', role)))).toBe(outcome);
  });

  it.each([
    ['o', 'a', 'done'],
    ['a', 'm', 'done'],
    ['a', 'o', 'forbidden'],
    ['m', 'n', 'forbidden'],
    ['m', 'm', 'done'],
    ['o', 'o', 'last_owner'],
    ['o', 'x', 'not_found'],
    ['stranger', 'm', 'not_found'],
  ])('%s removes %s: %s', (caller, removed, outcome) => {
    expect(codeOf(() => removeMember(family, caller, removed))).toBe(outcome);
  });

  it.each([
    ['o', 'm', 'owner', 'done'],
    ['o', 'o', 'member', 'last_owner'],
    ['a', 'm', 'admin', 'forbidden'],
    ['o', 'x', 'admin', 'not_found'],
  ] as const)('%s makes %s %s: %s', (caller, changed, role, outcome) => {
    expect(codeOf(() => changeRole(family, caller, changed, role))).toBe(outcome);
  });
});

describe('a group keeps an owner', () => {
  it('whoever hands over may leave', () => {
    const handedOver = changeRole(family, 'o', 'm', 'owner');
    expect(text(leave(handedOver, 'o'))).toBe('admin:a owner:m member:n');
  });

  it.each([
    ['owner:o admin:a member:m', 'admin before member', 'owner:a member:m'],
    ['owner:o member:m member:n', 'who joined first', 'owner:m member:n'],
    ['owner:o owner:p member:m', 'nobody is promoted', 'owner:p member:m'],
    ['owner:o', 'nobody is left', undefined],
  ])('after the owner of %s is gone: %s', (before, _what, after) => {
    expect(text(afterDeparture(group(before), 'o'))).toBe(after);
  });
});
