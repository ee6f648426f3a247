import type { Possible } from './possible.js';

/** What is acknowledged, or may be so, of an account: there as a whole, or not at all. */
export type Existence = 'whole' | 'none';

/** A group as its members know it; null: there is none. */
export type Group = { name: string; roles: Record<string, string> } | null;

/** The token of a device; null: it is not registered. */
export type PushToken = string | null;

/** What all stores together must say at the end, by what clients were told. */
export class World {
  /** By username. */
  readonly accounts = new Map<string, Possible<Existence>>();
  /** By id. */
  readonly groups = new Map<string, Possible<Group>>();
  /** Groups whose id nobody was told, by name: there may be none, or one. */
  readonly unnamedGroups = new Map<string, Possible<Group>>();
  /** By JID and device, with a space between. */
  readonly pushTokens = new Map<string, Possible<PushToken>>();
  /** By username. */
  readonly passwords = new Map<string, Possible<string>>();
  /** Ids of sessions whose token somebody got, with the username. */
  readonly sessions = new Map<string, string>();
  /** Ids of messages that the chat server has acknowledged. */
  readonly acknowledged = new Set<string>();
  /** Ids of messages that came to their recipient. */
  readonly received = new Set<string>();
  /** SIP contacts that were acknowledged, by username. */
  readonly contacts = new Map<string, string>();
}
