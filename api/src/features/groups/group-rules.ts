import { Problem } from '../../common/problem.js';

export const GROUP_ROLES = ['owner', 'admin', 'member'] as const;
export type GroupRole = (typeof GROUP_ROLES)[number];

export interface GroupMember {
  accountId: string;
  jid: string;
  role: GroupRole;
}

/** What a group is, and what its room in the chat server follows. Members stand in the order in which they joined. */
export interface GroupState {
  readonly name: string;
  readonly members: readonly GroupMember[];
}

/**
 * Each message goes to each member, and waits for those who are out; a change of the whole group takes two calls for each. And a
 * room takes 5000 (ejabberd.yml): everybody with the ten sessions that one may have.
 */
export const MOST_MEMBERS = 500;

const RANK: Record<GroupRole, number> = { owner: 2, admin: 1, member: 0 };

const notFound = (what: string): Problem => new Problem('not_found', `there is no such ${what}`);

const find = (state: GroupState, accountId: string): GroupMember | undefined =>
  state.members.find((member) => member.accountId === accountId);

/** Strangers learn nothing: to them the group does not exist. */
function requireMember(state: GroupState, accountId: string): GroupMember {
  const member = find(state, accountId);
  if (!member) throw notFound('group');
  return member;
}

function requireRole(state: GroupState, accountId: string, atLeast: GroupRole): GroupMember {
  const member = requireMember(state, accountId);
  if (RANK[member.role] < RANK[atLeast]) throw new Problem('forbidden', `only an ${atLeast} of the group may do that`);
  return member;
}

function requireOwner(members: readonly GroupMember[]): readonly GroupMember[] {
  if (members.some(({ role }) => role === 'owner')) return members;
  throw new Problem('last_owner', 'make another member owner first');
}

const without = (state: GroupState, accountId: string): readonly GroupMember[] =>
  state.members.filter((member) => member.accountId !== accountId);

/** The group, unless it is larger than a room bears. @throws Problem too_many_members */
export function withinSize(state: GroupState): GroupState {
  if (state.members.length <= MOST_MEMBERS) return state;
  throw new Problem('too_many_members', `a group has at most ${MOST_MEMBERS} members`);
}

/** Any member may look. @throws Problem not_found */
export function view(state: GroupState, callerId: string): GroupState {
  requireMember(state, callerId);
  return state;
}

/** Owners and admins rename. */
export function rename(state: GroupState, callerId: string, name: string): GroupState {
  requireRole(state, callerId, 'admin');
  return { ...state, name };
}

/** Owners add anybody in any role, admins add members. Somebody who is in already keeps his role. */
export function addMember(state: GroupState, callerId: string, added: GroupMember): GroupState {
  requireRole(state, callerId, added.role === 'member' ? 'admin' : 'owner');
  if (find(state, added.accountId)) return state;
  return withinSize({ ...state, members: [...state.members, added] });
}

/** Owners remove anybody, admins remove members, everybody removes himself. */
export function removeMember(state: GroupState, callerId: string, accountId: string): GroupState {
  if (callerId === accountId) return leave(state, callerId);
  const caller = requireRole(state, callerId, 'admin');
  const removed = find(state, accountId);
  if (!removed) throw notFound('member');
  if (caller.role === 'admin' && removed.role !== 'member') {
    throw new Problem('forbidden', 'only an owner of the group may remove an owner or an admin');
  }
  return { ...state, members: without(state, accountId) };
}

/** Owners change roles; the last owner stays one. */
export function changeRole(state: GroupState, callerId: string, accountId: string, role: GroupRole): GroupState {
  requireRole(state, callerId, 'owner');
  if (!find(state, accountId)) throw notFound('member');
  const members = state.members.map((member) => (member.accountId === accountId ? { ...member, role } : member));
  return { ...state, members: requireOwner(members) };
}

/** Everybody may leave but the last owner. */
export function leave(state: GroupState, callerId: string): GroupState {
  requireMember(state, callerId);
  return { ...state, members: requireOwner(without(state, callerId)) };
}

/** Only owners delete. */
export function requireDeletable(state: GroupState, callerId: string): void {
  requireRole(state, callerId, 'owner');
}

/**
 * The group after an account is gone: without an owner, the longest-standing admin takes over, or else the
 * longest-standing member. Null when nobody is left.
 */
export function afterDeparture(state: GroupState, accountId: string): GroupState | null {
  const members = without(state, accountId);
  if (members.length === 0) return null;
  if (members.some(({ role }) => role === 'owner')) return { ...state, members };
  const heir = members.find(({ role }) => role === 'admin') ?? members[0];
  return { ...state, members: members.map((member) => (member === heir ? { ...member, role: 'owner' } : member)) };
}
