import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { isId } from '../../common/ids.js';
import { invalidField, Problem } from '../../common/problem.js';
import { CONFIG, type Config } from '../../config/config.js';
import type { Caller } from '../../http/access.js';
import { AccountService, type KnownAccount } from '../account/account.service.js';
import { AccountRemoval } from '../account/account-removal.js';
import { GroupChanges } from './group-changes.js';
import type { GroupRole } from './group-rules.js';
import * as rules from './group-rules.js';
import type { GroupAnswer, GroupMembersAnswer, GroupsAnswer } from './groups.dto.js';
import { GroupsRepository } from './groups.repository.js';

const noGroup = (): Problem => new Problem('not_found', 'there is no such group');
const noMember = (): Problem => new Problem('not_found', 'there is no such member');

/** Groups of accounts. Who may do what stands in group-rules.ts; that nothing stays half done is GroupChanges' part. */
@Injectable()
export class GroupsService implements OnModuleInit {
  constructor(
    private readonly groups: GroupsRepository,
    private readonly changes: GroupChanges,
    private readonly accounts: AccountService,
    private readonly removal: AccountRemoval,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  onModuleInit(): void {
    this.removal.addStep((account) => this.departEverywhere(account.id));
  }

  /** @throws Problem validation_failed, too_many_members, too_many_groups, chat_server_unavailable */
  async create(caller: Caller, name: string, memberJids: readonly string[]): Promise<GroupAnswer> {
    const members = await this.accountsOf(memberJids);
    members.delete(caller.jid);
    const owner = { accountId: caller.accountId, jid: caller.jid, role: 'owner' as const };
    const others = [...members.values()].map(({ id, jid }) => ({ accountId: id, jid, role: 'member' as const }));
    const wanted = rules.withinSize({ name, members: [owner, ...others] });
    const groupId = await this.changes.create(wanted, caller.accountId);
    return this.answer(groupId, name);
  }

  async list(caller: Caller): Promise<GroupsAnswer> {
    const groups = await this.groups.listOf(caller.accountId);
    return { groups: groups.map(({ id, name, role }) => ({ ...this.answer(id, name), role })) };
  }

  async members(caller: Caller, groupId: string): Promise<GroupMembersAnswer> {
    const state = await this.groups.readActive(requireId(groupId));
    if (!state) throw noGroup();
    const { members } = rules.view(state, caller.accountId);
    return { members: members.map(({ jid, role }) => ({ jid, affiliation: role, role })) };
  }

  async rename(caller: Caller, groupId: string, name: string): Promise<GroupAnswer> {
    await this.changes.change(requireId(groupId), (state) => rules.rename(state, caller.accountId, name));
    return this.answer(groupId, name);
  }

  async delete(caller: Caller, groupId: string): Promise<void> {
    await this.changes.delete(requireId(groupId), (state) => rules.requireDeletable(state, caller.accountId));
  }

  async addMember(caller: Caller, groupId: string, jid: string, role: GroupRole = 'member'): Promise<void> {
    const account = (await this.accounts.findActive([jid])).get(jid.toLowerCase());
    await this.changes.change(requireId(groupId), (state) => {
      rules.view(state, caller.accountId);
      if (!account) throw invalidField('jid', 'is not an account of this server');
      return rules.addMember(state, caller.accountId, { accountId: account.id, jid: account.jid, role });
    });
  }

  async removeMember(caller: Caller, groupId: string, jid: string): Promise<void> {
    await this.changes.change(requireId(groupId), (state) =>
      rules.removeMember(state, caller.accountId, memberId(rules.view(state, caller.accountId), jid)),
    );
  }

  async changeRole(caller: Caller, groupId: string, jid: string, role: GroupRole): Promise<void> {
    await this.changes.change(requireId(groupId), (state) =>
      rules.changeRole(state, caller.accountId, memberId(rules.view(state, caller.accountId), jid), role),
    );
  }

  async leave(caller: Caller, groupId: string): Promise<void> {
    await this.changes.change(requireId(groupId), (state) => rules.leave(state, caller.accountId));
  }

  /** Part of an account's deletion: it leaves every group, and a group that loses its only owner gets another. */
  private async departEverywhere(accountId: string): Promise<void> {
    for (const groupId of await this.groups.groupIdsOf(accountId)) {
      await this.changes.change(groupId, (state) => rules.afterDeparture(state, accountId));
    }
  }

  /** The accounts behind JIDs, each of which must be one of this server. @throws Problem naming the field */
  private async accountsOf(jids: readonly string[]): Promise<Map<string, KnownAccount>> {
    const known = await this.accounts.findActive(jids);
    const unknown = jids.findIndex((jid) => !known.has(jid.toLowerCase()));
    if (unknown >= 0) throw invalidField(`member_jids[${unknown}]`, 'is not an account of this server');
    return known;
  }

  private answer(groupId: string, name: string): GroupAnswer {
    return { group_id: groupId, jid: `${groupId}@muc.${this.config.addresses.xmppDomain}`, name };
  }
}

/** A group id that is none is a group that does not exist. */
function requireId(groupId: string): string {
  if (isId(groupId)) return groupId;
  throw noGroup();
}

function memberId(state: rules.GroupState, jid: string): string {
  const member = state.members.find((candidate) => candidate.jid === jid.toLowerCase());
  if (!member) throw noMember();
  return member.accountId;
}
