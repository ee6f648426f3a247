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
   * @param keepLease called before each step; what it throws ends the work
   * @param admitted accounts that are let in by this change, even if the room had banned them
   * @throws Problem chat_server_unavailable; the room may then be anywhere between the two states
   */
  async bringTo(
    groupId: string,
    wanted: GroupState,
    keepLease: () => Promise<void>,
    admitted: ReadonlySet<string> = new Set(),
  ): Promise<void> {
    const room = (await this.ejabberd.readRoom(groupId)) ?? (await this.create(groupId, wanted.name));
    const steps = [
      ...this.settings(groupId, room, wanted),
      ...this.departures(groupId, room, wanted),
      ...this.arrivals(groupId, room, wanted, admitted),
    ];
    for (const step of steps) {
      await keepLease();
      await step();
    }
  }

  async destroy(groupId: string): Promise<void> {
    await this.ejabberd.destroyRoom(groupId);
  }

  private async create(groupId: string, name: string): Promise<Room> {
    await this.ejabberd.createRoom(groupId, name);
    return { title: name, altered: false, affiliations: new Map(), subscribers: new Set() };
  }

  /** An owner can open the room or show it to everybody by XMPP: its settings are ours, only its name is the group's. */
  private settings(groupId: string, room: Room, { name }: GroupState): Step[] {
    return [
      ...(room.altered ? [() => this.ejabberd.resetRoom(groupId)] : []),
      ...(room.title !== name ? [() => this.ejabberd.renameRoom(groupId, name)] : []),
    ];
  }

  /** Who is out loses the subscription first: ejabberd 23.01 would go on sending him the messages. */
  private departures(groupId: string, room: Room, { members }: GroupState): Step[] {
    const wanted = new Set(members.map(({ jid }) => jid));
    const banned = (jid: string): boolean => room.affiliations.get(jid) === 'outcast';
    const unsubscribed = [...room.subscribers].filter((jid) => !wanted.has(jid) || banned(jid));
    const removed = [...room.affiliations.keys()].filter((jid) => !wanted.has(jid) && !banned(jid));
    return [
      ...unsubscribed.map((jid) => () => this.ejabberd.unsubscribe(groupId, jid)),
      ...removed.map((jid) => () => this.ejabberd.setAffiliation(groupId, jid, 'none')),
    ];
  }

  private arrivals(groupId: string, room: Room, { members }: GroupState, admitted: ReadonlySet<string>): Step[] {
    return members.flatMap(({ accountId, jid, role }) => {
      const affiliation = room.affiliations.get(jid);
      // A ban set in the room itself stands until somebody adds the account again.
      const banned = affiliation === 'outcast';
      if (banned && !admitted.has(accountId)) return [];
      const subscribed = room.subscribers.has(jid) && !banned;
      return [
        ...(affiliation === role ? [] : [() => this.ejabberd.setAffiliation(groupId, jid, role)]),
        ...(subscribed ? [] : [() => this.ejabberd.subscribe(groupId, jid)]),
      ];
    });
  }
}

/** One call that brings the room nearer to what it should be. */
type Step = () => Promise<void>;
