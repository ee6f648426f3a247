import { Injectable } from '@nestjs/common';
import { Ejabberd, type Room } from '../../clients/ejabberd/ejabberd.client.js';
import type { GroupState } from './group-rules.js';

/**
 * Brings a group's room to a wanted state, whatever state it is in: it reads the room, and does what is missing. So the
 * same call makes a change, repeats it after a failure, and undoes it.
 */
@Injectable()
export class GroupRoom {
  constructor(private readonly ejabberd: Ejabberd) {}

  /**
   * @param admitted accounts that are let in by this change, even if the room had banned them
   * @throws Problem chat_server_unavailable; the room may then be anywhere between the two states
   */
  async bringTo(groupId: string, wanted: GroupState, admitted: ReadonlySet<string> = new Set()): Promise<void> {
    const room = (await this.ejabberd.readRoom(groupId)) ?? (await this.create(groupId, wanted.name));
    if (room.title !== wanted.name) await this.ejabberd.renameRoom(groupId, wanted.name);
    await this.letGo(groupId, room, wanted);
    await this.letIn(groupId, room, wanted, admitted);
  }

  async destroy(groupId: string): Promise<void> {
    await this.ejabberd.destroyRoom(groupId);
  }

  private async create(groupId: string, name: string): Promise<Room> {
    await this.ejabberd.createRoom(groupId, name);
    return { title: name, affiliations: new Map(), subscribers: new Set() };
  }

  /** Who is out loses the subscription first: ejabberd 23.01 would go on sending him the messages. */
  private async letGo(groupId: string, room: Room, { members }: GroupState): Promise<void> {
    const wanted = new Set(members.map(({ jid }) => jid));
    for (const jid of room.subscribers) {
      const banned = room.affiliations.get(jid) === 'outcast';
      if (!wanted.has(jid) || banned) await this.ejabberd.unsubscribe(groupId, jid);
    }
    for (const [jid, affiliation] of room.affiliations) {
      if (!wanted.has(jid) && affiliation !== 'outcast') await this.ejabberd.setAffiliation(groupId, jid, 'none');
    }
  }

  private async letIn(groupId: string, room: Room, { members }: GroupState, admitted: ReadonlySet<string>) {
    for (const { accountId, jid, role } of members) {
      const affiliation = room.affiliations.get(jid);
      // A ban set in the room itself stands until somebody adds the account again.
      const banned = affiliation === 'outcast';
      if (banned && !admitted.has(accountId)) continue;
      if (affiliation !== role) await this.ejabberd.setAffiliation(groupId, jid, role);
      if (banned || !room.subscribers.has(jid)) await this.ejabberd.subscribe(groupId, jid);
    }
  }
}
