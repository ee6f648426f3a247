import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import type { AxiosResponse } from 'axios';
import { usernameOf } from '../../common/jid.js';
import { Problem } from '../../common/problem.js';
import { type Arguments, EjabberdApi, isListOf, isText } from './ejabberd-api.js';

/** A role in a multi-user chat room (XEP-0045 §5.2). */
export type Affiliation = 'owner' | 'admin' | 'member' | 'outcast' | 'none';

/** What ejabberd says to a registration; anything else is a Problem. */
export type RegisterResult = 'registered' | 'exists' | 'password_refused';

/** The state of a room as the chat server has it. JIDs are bare. */
export interface Room {
  title: string;
  /** Its settings are not those that `createRoom` gives: somebody changed them by XMPP. */
  altered: boolean;
  affiliations: Map<string, Affiliation>;
  subscribers: Set<string>;
}

/**
 * The verbs that the product asks of ejabberd, in its words. Users and rooms are named by their local part; the domain
 * is the one that is served. Every method throws the Problem `chat_server_unavailable` when ejabberd is out
 * of reach, silent for longer than the deadline, or answers what cannot be understood; then the effect is unknown.
 */
export abstract class Ejabberd {
  /** Answers when ejabberd does. */
  abstract ping(): Promise<void>;
  /** Like `26.07`; undefined when it does not say. */
  abstract version(): Promise<string | undefined>;
  /** Takes the certificate over that lies in its files now, for streams to come; the open ones go on. */
  abstract reloadCertificate(): Promise<void>;
  abstract accountExists(username: string): Promise<boolean>;
  abstract register(username: string, password: string): Promise<RegisterResult>;
  abstract checkPassword(username: string, password: string): Promise<boolean>;
  /**
   * Ends every stream of the account and removes everything that the chat server keeps of it, or of an earlier one of that
   * name. What a stream was just handling is stored all the same: `suspend` ends that first. A missing account is fine.
   */
  abstract unregister(username: string): Promise<void>;
  /** Ends the streams of the account, also those that wait to be resumed; all, or those whose resource `ends` names. */
  abstract endStreams(username: string, ends?: (resource: string) => boolean): Promise<void>;
  /** From here on the account has this password; its streams go on. @throws Problem also when there is no such user */
  abstract changePassword(username: string, password: string): Promise<void>;
  /** Ends every stream of the account and refuses new ones; nothing that is kept of it changes. Done already is fine. */
  abstract suspend(username: string): Promise<void>;
  /** Lets the account in again. Done already is fine. */
  abstract resume(username: string): Promise<void>;
  /** The accounts that are refused. */
  abstract suspended(): Promise<Set<string>>;
  /** A missing room is null. */
  abstract readRoom(room: string): Promise<Room | null>;
  /** Creates the room, hidden, members-only and archived; an existing one is fine. */
  abstract createRoom(room: string, title: string): Promise<void>;
  /** Gives the room the settings of `createRoom` again; its title stays. */
  abstract resetRoom(room: string): Promise<void>;
  abstract renameRoom(room: string, title: string): Promise<void>;
  /** Returns when the room is gone. A missing room is fine. */
  abstract destroyRoom(room: string): Promise<void>;
  abstract setAffiliation(room: string, jid: string, affiliation: Affiliation): Promise<void>;
  /**
   * Subscribes a member to the messages of the room (MucSub), so that they arrive while he is offline; under his username,
   * or a name like it when somebody else in the room has taken that.
   */
  abstract subscribe(room: string, jid: string): Promise<void>;
  /** A missing subscription is fine. */
  abstract unsubscribe(room: string, jid: string): Promise<void>;
}

/** MucSub nodes that a member is subscribed to: what a client needs to show the room without being in it. */
const SUBSCRIBED_NODES = ['messages', 'affiliations', 'subject', 'config']
  .map((node) => `urn:xmpp:mucsub:nodes:${node}`)
  .join(',');

/**
 * What makes a room a group's, and an owner could change by XMPP; ejabberd.yml says the same and why. The rest is his to choose: what the
 * room says of itself, private messages, whose presence is shown. In this order it is restored: first of all the room is closed.
 */
const ROOM_OPTIONS = {
  members_only: 'true',
  // With it, ejabberd 23.01 lets a removed or banned member of a members-only room back in.
  moderated: 'false',
  members_by_default: 'true',
  persistent: 'true',
  mam: 'true',
  public: 'false',
  public_list: 'false',
  anonymous: 'false',
  password_protected: 'false',
  password: '',
  captcha_protected: 'false',
  max_users: '5000',
  allow_subscription: 'true',
  allow_user_invites: 'false',
  allow_query_users: 'true',
  allow_change_subj: 'false',
  allow_voice_requests: 'false',
};

const USER_EXISTS = 10_090;
const REFUSED = 10_001;
/** What ejabberd takes to destroy a room, or to end a stream. */
const ASK_AGAIN_MS = 10;
/** The group of ejabberd.yml whose members may not open a stream. */
const SUSPENDED = 'suspended';

@Injectable()
export class EjabberdHttpClient extends Ejabberd {
  private readonly host: string;
  private readonly service: string;

  constructor(private readonly api: EjabberdApi) {
    super();
    this.host = api.host;
    this.service = `muc.${api.host}`;
  }

  async ping(): Promise<void> {
    await this.api.ok('status', {});
  }

  async version(): Promise<string | undefined> {
    return /ejabberd (\S+) is running/.exec(String(await this.api.ok('status', {})))?.[1];
  }

  async reloadCertificate(): Promise<void> {
    await this.api.ok('reload_config', {});
  }

  async accountExists(user: string): Promise<boolean> {
    return (await this.api.ok('check_account', { user, host: this.host })) === 0;
  }

  async register(user: string, password: string): Promise<RegisterResult> {
    const answer = await this.api.call('register', { user, host: this.host, password });
    if (answer.status === 200) return 'registered';
    if (answer.status === 409 && answer.data?.code === USER_EXISTS) return 'exists';
    if (answer.data?.code === REFUSED) return 'password_refused';
    throw this.api.misunderstood('register', answer);
  }

  async checkPassword(user: string, password: string): Promise<boolean> {
    // A command of ejabberd/veil_passwords.erl: what `check_password` answers, in a quarter of the time.
    return (await this.api.ok('verify_password', { user, host: this.host, password })) === 0;
  }

  async unregister(user: string): Promise<void> {
    await this.api.ok('unregister', { user, host: this.host });
    // ejabberd leaves it there, for whoever has the name next.
    await this.api.ok('srg_user_del', this.suspension(user));
  }

  async endStreams(user: string, ends: (resource: string) => boolean = () => true): Promise<void> {
    const deadline = performance.now() + this.api.timeoutMs;
    // Asked until none is left: a stream is still listed for a moment after it was told to end.
    for (;;) {
      const answer = await this.api.call('user_resources', { user, host: this.host });
      if (!isListOf(answer, isText)) throw this.api.misunderstood('user_resources', answer);
      const ending = answer.data.filter(ends);
      if (ending.length === 0) return;
      if (performance.now() > deadline) throw this.api.misunderstood('kick_session', answer);
      for (const resource of ending) {
        await this.api.ok('kick_session', { user, host: this.host, resource, reason: 'The session has ended' });
      }
      await delay(ASK_AGAIN_MS);
    }
  }

  async changePassword(user: string, password: string): Promise<void> {
    const done = await this.api.ok('change_password', { user, host: this.host, newpass: password });
    if (done !== 0) throw new Problem('chat_server_unavailable', 'ejabberd did not change the password');
  }

  async suspend(user: string): Promise<void> {
    await this.setSuspended(user, true);
    await this.endStreams(user);
  }

  async resume(user: string): Promise<void> {
    await this.setSuspended(user, false);
  }

  async suspended(): Promise<Set<string>> {
    const answer = await this.api.call('srg_get_members', { group: SUSPENDED, host: this.host });
    if (!isListOf(answer, isText)) throw this.api.misunderstood('srg_get_members', answer);
    return new Set(answer.data.flatMap((jid) => usernameOf(jid, this.host) ?? []));
  }

  async readRoom(name: string): Promise<Room | null> {
    const room = { name, service: this.service };
    const affiliations = await this.api.call('get_room_affiliations', room);
    if (isMissingRoom(affiliations)) return null;
    if (!isListOf(affiliations, isAffiliationRow)) throw this.api.misunderstood('get_room_affiliations', affiliations);
    const subscribers = await this.api.call('get_subscribers', room);
    if (!isListOf(subscribers, isText)) throw this.api.misunderstood('get_subscribers', subscribers);
    const options = await this.readOptions(name);
    return {
      title: options.title,
      altered: alteredIn(options).length > 0,
      affiliations: new Map(affiliations.data.map((row) => [`${row.username}@${row.domain}`, row.affiliation])),
      subscribers: new Set(subscribers.data.map(bareJid)),
    };
  }

  async createRoom(name: string, title: string): Promise<void> {
    const options = Object.entries({ ...ROOM_OPTIONS, title }).map(([option, value]) => ({ name: option, value }));
    const answer = await this.api.call('create_room_with_opts', {
      name,
      service: this.service,
      host: this.host,
      options,
    });
    if (answer.status === 200 || isRefusal(answer, /already exists/i)) return;
    throw this.api.misunderstood('create_room_with_opts', answer);
  }

  async resetRoom(name: string): Promise<void> {
    // Only those: with each the room tells everybody in it that it was configured.
    for (const [option, value] of alteredIn(await this.readOptions(name))) await this.setOption(name, option, value);
  }

  async renameRoom(name: string, title: string): Promise<void> {
    await this.setOption(name, 'title', title);
  }

  async destroyRoom(name: string): Promise<void> {
    const deadline = performance.now() + this.api.timeoutMs;
    // ejabberd answers before it has destroyed anything: only when the room is missing, nothing is left to do.
    for (;;) {
      const answer = await this.api.call('destroy_room', { name, service: this.service });
      if (isMissingRoom(answer)) return;
      if (answer.status !== 200 || performance.now() > deadline) throw this.api.misunderstood('destroy_room', answer);
      await delay(ASK_AGAIN_MS);
    }
  }

  async setAffiliation(name: string, jid: string, affiliation: Affiliation): Promise<void> {
    await this.api.ok('set_room_affiliation', { name, service: this.service, jid, affiliation });
  }

  async subscribe(name: string, jid: string): Promise<void> {
    const username = jid.slice(0, jid.indexOf('@'));
    let answer = await this.subscribeAs(username, name, jid);
    if (isTakenNickname(answer)) {
      // Whoever is in the room may call himself that. What he can't foresee he can't take.
      answer = await this.subscribeAs(`${username}-${randomBytes(4).toString('hex')}`, name, jid);
    }
    // The answer lists the nodes: an empty list would be a subscription to nothing.
    if (!isListOf(answer, isText) || answer.data.length === 0) throw this.api.misunderstood('subscribe_room', answer);
  }

  async unsubscribe(name: string, jid: string): Promise<void> {
    await this.api.ok('unsubscribe_room', { user: jid, room: `${name}@${this.service}` });
  }

  private subscribeAs(nick: string, name: string, jid: string): Promise<AxiosResponse> {
    const subscription = { user: `${jid}/veil`, nick, room: `${name}@${this.service}`, nodes: SUBSCRIBED_NODES };
    return this.api.call('subscribe_room', subscription);
  }

  private suspension(user: string): Arguments {
    return { user, host: this.host, group: SUSPENDED, grouphost: this.host };
  }

  /** ejabberd answers that it did whether it could or not, and logs an error when there was nothing to do. */
  private async setSuspended(user: string, wanted: boolean): Promise<void> {
    if ((await this.suspended()).has(user) === wanted) return;
    await this.api.ok(wanted ? 'srg_user_add' : 'srg_user_del', this.suspension(user));
    if ((await this.suspended()).has(user) === wanted) return;
    throw new Problem('chat_server_unavailable', 'ejabberd did not keep who is suspended');
  }

  private async readOptions(name: string): Promise<RoomOptions> {
    const answer = await this.api.call('get_room_options', { name, service: this.service });
    if (answer.status !== 200 || !isOptions(answer.data)) throw this.api.misunderstood('get_room_options', answer);
    return answer.data;
  }

  private async setOption(name: string, option: string, value: string): Promise<void> {
    await this.api.ok('change_room_option', { name, service: this.service, option, value });
  }
}

const bareJid = (jid: string): string => jid.split('/', 1)[0] ?? jid;

type AffiliationRow = { username: string; domain: string; affiliation: Affiliation };

const isAffiliationRow = (row: unknown): row is AffiliationRow =>
  typeof row === 'object' && row !== null && 'username' in row && 'domain' in row && 'affiliation' in row;

type RoomOptions = Record<string, string> & { title: string };

const isOptions = (data: unknown): data is RoomOptions =>
  typeof data === 'object' && data !== null && 'title' in data && typeof data.title === 'string';

/** The settings that have to be restored. One that ejabberd doesn't tell is among them: nobody could vouch for it. */
const alteredIn = (options: RoomOptions): [option: string, value: string][] =>
  Object.entries(ROOM_OPTIONS).filter(([option, value]) => options[option] !== value);

const isMissingRoom = (answer: AxiosResponse): boolean => isRefusal(answer, /room does(n't| not) exist/i);

/** ejabberd's words for the condition `conflict`, which it doesn't tell. */
const isTakenNickname = (answer: AxiosResponse): boolean =>
  isRefusal(answer, /nickname is (already in use|registered)/i);

function isRefusal({ status, data }: AxiosResponse, words: RegExp): boolean {
  const message = String((typeof data === 'object' && data !== null && data.message) || data);
  return status === 400 && words.test(message);
}
