import { Injectable } from '@nestjs/common';
import type { AxiosResponse } from 'axios';
import { type Arguments, EjabberdApi, isListOf } from './ejabberd-api.js';

/** Somebody in an account's contact list (RFC 6121 §2.1). */
export interface Contact {
  jid: string;
  name: string;
  subscription: string;
  groups: string[];
}

/** A piece of private XML storage (XEP-0049). */
export interface PrivateData {
  namespace: string;
  xml: string;
}

/**
 * What the chat server keeps of accounts, as far as its admin API tells: the archive, published items and files are not
 * to be had by it. Every method throws the Problem `chat_server_unavailable`.
 */
export abstract class ChatData {
  abstract contacts(username: string): Promise<Contact[]>;
  /** The fields of the profile that have a value, by their names in vcard-temp (XEP-0054); null when there is none. */
  abstract profile(username: string): Promise<Record<string, string> | null>;
  abstract privateData(username: string): Promise<PrivateData[]>;
  /** How many messages wait for the account. */
  abstract waitingMessages(username: string): Promise<number>;
  /** Removes messages of all archives, those of groups too, that are older than so many days. None is fine. */
  abstract forgetArchived(days: number): Promise<void>;
  /** Removes messages that have waited for more than so many days. None is fine. */
  abstract forgetWaiting(days: number): Promise<void>;
}

/** The fields that can be asked for. Telephone numbers can't: ejabberd 23.01 fails when there is none. */
const PROFILE_FIELDS: readonly (readonly [name: string, part?: string])[] = [
  ['FN'],
  ['NICKNAME'],
  ['BDAY'],
  ['URL'],
  ['TITLE'],
  ['ROLE'],
  ['DESC'],
  ['N', 'FAMILY'],
  ['N', 'GIVEN'],
  ['N', 'MIDDLE'],
  ['EMAIL', 'USERID'],
  ['ORG', 'ORGNAME'],
  ['ORG', 'ORGUNIT'],
  ['ADR', 'STREET'],
  ['ADR', 'LOCALITY'],
  ['ADR', 'REGION'],
  ['ADR', 'PCODE'],
  ['ADR', 'CTRY'],
];

/** Private data can be asked for by its name only: those that clients are known to store. */
const PRIVATE_NAMES = [
  ['storage', 'storage:bookmarks'],
  ['storage', 'storage:rosternotes'],
  ['storage', 'storage:metacontacts'],
] as const;

const NO_PROFILE = 'error_no_vcard_found';
const NO_VALUE = 'error_no_value_found_in_vcard';

@Injectable()
export class ChatDataHttpClient extends ChatData {
  constructor(private readonly api: EjabberdApi) {
    super();
  }

  async contacts(username: string): Promise<Contact[]> {
    const answer = await this.api.call('get_roster', this.account(username));
    if (!isListOf(answer, isRosterRow)) throw this.api.misunderstood('get_roster', answer);
    const contacts = new Map<string, Contact>();
    // A contact in several groups comes several times.
    for (const { jid, nick, subscription, group } of answer.data) {
      const contact = contacts.get(jid) ?? { jid, name: nick, subscription, groups: [] };
      if (group !== '') contact.groups.push(group);
      contacts.set(jid, contact);
    }
    return [...contacts.values()];
  }

  async profile(username: string): Promise<Record<string, string> | null> {
    const profile: Record<string, string> = {};
    for (const [name, part] of PROFILE_FIELDS) {
      const command = part ? 'get_vcard2' : 'get_vcard';
      const answer = await this.api.call(command, { ...this.account(username), name, ...(part && { subname: part }) });
      if (answer.data === NO_PROFILE) return null;
      const value = textOf(answer, 'content');
      if (value) profile[part ? `${name}/${part}` : name] = value;
      else if (value === undefined && answer.data !== NO_VALUE) throw this.api.misunderstood(command, answer);
    }
    return profile;
  }

  async privateData(username: string): Promise<PrivateData[]> {
    const found: PrivateData[] = [];
    for (const [element, namespace] of PRIVATE_NAMES) {
      const answer = await this.api.call('private_get', { ...this.account(username), element, ns: namespace });
      const xml = textOf(answer, 'res');
      if (xml === undefined) throw this.api.misunderstood('private_get', answer);
      if (!IS_EMPTY.test(xml)) found.push({ namespace, xml });
    }
    return found;
  }

  async waitingMessages(username: string): Promise<number> {
    const answer = await this.api.call('get_offline_count', this.account(username));
    const count = answer.data?.value;
    if (answer.status !== 200 || typeof count !== 'number') throw this.api.misunderstood('get_offline_count', answer);
    return count;
  }

  async forgetArchived(days: number): Promise<void> {
    // Not the one that works in batches: in 23.01 it has a statement that PostgreSQL does not understand.
    await this.done('delete_old_mam_messages', { type: 'all', days });
  }

  async forgetWaiting(days: number): Promise<void> {
    await this.done('delete_old_messages', { days });
  }

  private async done(command: string, args: Arguments): Promise<void> {
    const answer = await this.api.call(command, args);
    if (answer.status !== 200 || answer.data !== 0) throw this.api.misunderstood(command, answer);
  }

  private account(username: string) {
    return { user: username, host: this.api.host };
  }
}

/** What was asked for comes back as it was asked for when nothing is stored. */
const IS_EMPTY = /^<query[^>]*><\w+ [^>]*\/><\/query>$/;

/** The text of an answer, alone or in an object; undefined for another answer. */
function textOf({ status, data }: AxiosResponse, name: string): string | undefined {
  const value = typeof data === 'object' && data !== null ? data[name] : data;
  return status === 200 && typeof value === 'string' ? value : undefined;
}

interface RosterRow {
  jid: string;
  nick: string;
  subscription: string;
  group: string;
}

const isRosterRow = (row: unknown): row is RosterRow =>
  typeof row === 'object' && row !== null && ['jid', 'nick', 'subscription', 'group'].every((name) => name in row);
