import type { AxiosInstance, AxiosResponse } from 'axios';
import { type Account, apiClient, registerAccount, uniqueName } from './api.js';
import type { OwnApi } from './own-api.js';
import { NEW_PASSWORD, NO_ACCOUNT, NO_GROUP, OLD_PASSWORD, type Stores, WHOLE_ACCOUNT, wholeGroup } from './stores.js';

/** A change that is wanted of something that no other test touches. */
export interface Change {
  /** Asks an API for the change. */
  request(api: Pick<OwnApi, 'client'>): Promise<AxiosResponse>;
  /** What all stores hold of it now. */
  stores(): Promise<unknown>;
  undone: unknown;
  done: unknown;
  /**
   * How a repeated request is answered when the first one took effect: `ok`, or the code of a problem. Undefined when it
   * would be a change of its own.
   */
  repeated: string | undefined;
  /** Deletes the group: the reapers look after every one there is, and would be in the way of the next trials. */
  discard(): Promise<unknown>;
}

/** Prepares one change after the other, each with what it needs to be possible. */
export type Operation = () => Promise<Change>;

/** Every operation that changes more than one store. */
export const OPERATIONS = [
  'register',
  'create group',
  'add member',
  'remove member',
  'change role',
  'rename',
  'leave',
  'delete group',
  'delete account',
  'change password',
] as const;
export type OperationName = (typeof OPERATIONS)[number];

/** Who has which role, by JID. */
type Roles = Record<string, string>;

/** The accounts of the groups that are changed. */
export interface People {
  owner: Account;
  member: Account;
  other: Account;
}

export async function registerPeople(): Promise<People> {
  const [owner, member, other] = await Promise.all([
    registerAccount('owner'),
    registerAccount('member'),
    registerAccount('other'),
  ]);
  return { owner, member, other };
}

async function deleteGroupsNamed(name: string, { api }: Account): Promise<void> {
  const { groups } = (await api.get('/groups')).data as { groups: { group_id: string; name: string }[] };
  for (const group of groups.filter((one) => one.name === name)) await api.delete(`/groups/${group.group_id}`);
}

export function operationsOn(stores: Stores, { owner, member, other }: People): Record<OperationName, Operation> {
  const alone: Roles = { [owner.jid]: 'owner' };
  const both: Roles = { ...alone, [member.jid]: 'member' };

  async function register(): Promise<Change> {
    const credentials = { username: uniqueName('new'), password: 'correct horse battery' };
    return {
      request: (api) => api.client().post('/account/register', credentials),
      stores: () => stores.account(credentials.username),
      undone: NO_ACCOUNT,
      done: WHOLE_ACCOUNT,
      repeated: 'username_taken',
      discard: async () => {},
    };
  }

  /** The account owns a group, which has to get another owner. */
  async function deleteAccount(): Promise<Change> {
    const { username, password, jid, token, api } = await registerAccount('gone');
    const group = await createGroup(api, 'Family', [member]);
    return {
      request: (own) => own.client(token).delete('/account', { data: { jid, password } }),
      stores: async () => ({ account: await stores.account(username), group: await stores.group(group) }),
      undone: { account: WHOLE_ACCOUNT, group: wholeGroup('Family', { [jid]: 'owner', [member.jid]: 'member' }) },
      done: { account: NO_ACCOUNT, group: wholeGroup('Family', { [member.jid]: 'owner' }) },
      repeated: 'unauthenticated',
      discard: () => member.api.delete(`/groups/${group}`),
    };
  }

  async function changePassword(): Promise<Change> {
    const account = await registerAccount('changing');
    const wanted = 'another good passphrase';
    return {
      request: (own) =>
        own.client(account.token).put('/account/password', { password: account.password, new_password: wanted }),
      stores: () => stores.password(account, wanted),
      undone: OLD_PASSWORD,
      done: NEW_PASSWORD,
      repeated: 'invalid_credentials',
      discard: async () => {},
    };
  }

  async function create(): Promise<Change> {
    const name = uniqueName('Family');
    const token = await freshToken(owner);
    return {
      request: (api) => api.client(token).post('/groups', { name, member_jids: [member.jid] }),
      stores: () => stores.groupsNamed(name),
      undone: [],
      done: [wholeGroup(name, both)],
      repeated: undefined,
      discard: () => deleteGroupsNamed(name, owner),
    };
  }

  /** An operation on a fresh group of the owner and the member, asked for by one of them. */
  const onGroup =
    (
      by: Account,
      done: unknown,
      request: (client: AxiosInstance, path: string) => Promise<AxiosResponse>,
      repeated = 'ok',
    ): Operation =>
    async () => {
      const id = await createGroup(owner.api, 'Before', [member]);
      const token = await freshToken(by);
      return {
        request: (api) => request(api.client(token), `/groups/${id}`),
        stores: () => stores.group(id),
        undone: wholeGroup('Before', both),
        done,
        repeated,
        discard: () => owner.api.delete(`/groups/${id}`),
      };
    };

  const theMember = (path: string): string => `${path}/members/${member.jid}`;
  return {
    register,
    'create group': create,
    'add member': onGroup(owner, wholeGroup('Before', { ...both, [other.jid]: 'admin' }), (client, path) =>
      client.post(`${path}/members`, { jid: other.jid, role: 'admin' }),
    ),
    'remove member': onGroup(
      owner,
      wholeGroup('Before', alone),
      (client, path) => client.delete(theMember(path)),
      'not_found',
    ),
    'change role': onGroup(owner, wholeGroup('Before', { ...both, [member.jid]: 'admin' }), (client, path) =>
      client.patch(theMember(path), { role: 'admin' }),
    ),
    rename: onGroup(owner, wholeGroup('After', both), (client, path) => client.patch(path, { name: 'After' })),
    leave: onGroup(
      member,
      wholeGroup('Before', alone),
      (client, path) => client.post(`${path}/leave`, {}),
      'not_found',
    ),
    'delete group': onGroup(owner, NO_GROUP, (client, path) => client.delete(path), 'not_found'),
    'delete account': deleteAccount,
    'change password': changePassword,
  };
}

async function createGroup(by: AxiosInstance, name: string, members: Account[]): Promise<string> {
  const answer = await by.post('/groups', { name, member_jids: members.map(({ jid }) => jid) });
  if (answer.status !== 201) throw new Error(`creating a group was answered ${answer.status}`);
  return answer.data.group_id;
}

/** A token that the API under test has not seen: what it remembers of a session would change the steps it takes. */
async function freshToken({ username, password }: Account): Promise<string> {
  const answer = await apiClient().post('/account/login', { username, password });
  return answer.data.token;
}
