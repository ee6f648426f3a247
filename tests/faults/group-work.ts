import type { Identity } from './identity.js';
import { Possible } from './possible.js';
import { type Change, type Credentials, type Promises, setTo } from './promises.js';
import type { Group } from './world.js';

const MOST_GROUPS = 3;

/** Makes, changes and deletes groups. */
export class GroupWork {
  private readonly own: string[] = [];

  /** @param friends JIDs of two others: one is a member from the beginning, one comes and goes */
  constructor(
    private readonly identity: Identity,
    private readonly friends: readonly [string, string],
    private readonly promises: Promises,
  ) {}

  async create(): Promise<void> {
    if (this.own.length >= MOST_GROUPS) return;
    const { self, token } = this.identity;
    const id = await foundGroup(this.promises, self, token, this.friends[0]);
    if (id) this.own.push(id);
  }

  admit(): Promise<void> {
    const jid = this.friends[1];
    return this.change(
      'admit a member',
      'post',
      '/members',
      { jid, role: 'member' },
      {
        possible: (group) => group !== null,
        // Who is a member already keeps his role.
        result: (group) => (group && jid in group.roles ? group : withRole(group, jid, 'member')),
        refusal: 'not_found',
      },
    );
  }

  promote(): Promise<void> {
    return this.changeMember('change a role', 'patch', { role: 'admin' }, 'admin');
  }

  dismiss(): Promise<void> {
    return this.changeMember('dismiss a member', 'delete', undefined, undefined);
  }

  rename(): Promise<void> {
    const name = this.promises.newName(this.identity.self, 'group');
    return this.change(
      'rename a group',
      'patch',
      '',
      { name },
      {
        possible: (group) => group !== null,
        result: (group) => group && { ...group, name },
        refusal: 'not_found',
      },
    );
  }

  async delete(): Promise<void> {
    const [oldest] = this.own;
    await this.change('delete a group', 'delete', '', undefined, {
      possible: (group) => group !== null,
      result: () => null,
      refusal: 'not_found',
    });
    if (oldest && this.promises.world.groups.get(oldest)?.all.includes(null)) this.own.shift();
  }

  /** What was acknowledged is there. */
  async list(): Promise<void> {
    const { self, token } = this.identity;
    const outcome = await this.promises.rest.ask('list groups', 'get', '/groups', token);
    this.promises.expectNoRefusal(`a look of ${self.username}`, outcome);
    if (!('done' in outcome)) return;
    const listed = new Set((outcome.done.data.groups as { group_id: string }[]).map(({ group_id }) => group_id));
    const missing = this.own.filter((id) => !listed.has(id) && this.promises.world.groups.get(id)?.certain);
    for (const id of missing) this.promises.journal.complain(`group ${id} was acknowledged and is not listed`);
  }

  private changeMember(
    kind: string,
    method: string,
    body: object | undefined,
    role: string | undefined,
  ): Promise<void> {
    const jid = this.friends[1];
    return this.change(kind, method, `/members/${jid}`, body, {
      possible: (group) => group !== null && jid in group.roles,
      result: (group) => withRole(group, jid, role),
      refusal: 'not_found',
    });
  }

  /** Asks for a change of the group that is there longest. */
  private async change(
    kind: string,
    method: string,
    path: string,
    body: object | undefined,
    change: Change<Group>,
  ): Promise<void> {
    const [id] = this.own;
    const group = id && this.promises.world.groups.get(id);
    if (!group) return;
    const outcome = await this.promises.rest.ask(kind, method, `/groups/${id}${path}`, this.identity.token, body);
    this.promises.conclude(`${kind} of ${id}`, outcome, group, change);
  }
}

/** Makes a group of two. @returns its id, when that was told */
export async function foundGroup(
  promises: Promises,
  owner: Credentials,
  token: string,
  friend: string,
): Promise<string | undefined> {
  const name = promises.newName(owner, 'group');
  const wanted = { name, roles: { [owner.jid]: 'owner', [friend]: 'member' } };
  const body = { name, member_jids: [friend] };
  const outcome = await promises.rest.ask('create a group', 'post', '/groups', token, body);
  const group = new Possible<Group>([null]);
  promises.conclude(`creating ${name}`, outcome, group, setTo<Group>(wanted));
  const id = 'done' in outcome ? (outcome.done.data.group_id as string) : undefined;
  if (id === undefined) promises.world.unnamedGroups.set(name, group);
  else promises.world.groups.set(id, group);
  return id;
}

/** The group with somebody in a role, or without him. */
function withRole(group: Group, jid: string, role: string | undefined): Group {
  if (!group) return null;
  const { [jid]: _, ...others } = group.roles;
  return { ...group, roles: role ? { ...others, [jid]: role } : others };
}
