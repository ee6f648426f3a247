/**
 * Deleting an account while everything that it can do is under way: its streams write, others write to it, its phone
 * registers, a file is being sent. What comes too late finds no account, and leaves nothing under its name.
 */
import { randomBytes } from 'node:crypto';
import { access } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, expect, it } from '@jest/globals';
import { type Account, apiClient, registerAccount } from '../support/api.js';
import { findInDatabases } from '../support/databases.js';
import { https } from '../support/https.js';
import { platform } from '../support/platform.js';
import { SipClient } from '../support/sip-client.js';
import { folderOf } from '../support/uploads.js';
import { until } from '../support/wait.js';
import { closeXmppClients, connectAll, XmppClient } from '../support/xmpp.js';

afterAll(closeXmppClients);

it('leaves nothing, however busy the account is', async () => {
  const life = await BusyLife.begin();
  await until('it is busy', () => life.isBusy);
  const { jid, password, api } = life.account;
  const answer = await api.delete('/account', { data: { jid, password } });
  expect(answer.data).toEqual({ status: 'deleted' });
  await life.end();
  // A group that was being made at that moment is undone by the reaper.
  await until('nothing is left of it', async () => isDeepStrictEqual(await life.tracesOfItsOwn(), []));
});

it('refuses a file that was on its way, and keeps nothing of it', async () => {
  const account = await registerAccount('sender');
  const slot = await (await XmppClient.connect(account)).uploadSlot('diary.txt', 5);
  await account.api.delete('/account', { data: { jid: account.jid, password: account.password } });
  expect((await https.put(slot.put, Buffer.from('diary'))).status).toBe(403);
  await expect(access(folderOf(account.jid))).rejects.toThrow('ENOENT');
});

/** So many of a kind are under way at once: a slow machine has less to do, not a queue. */
const MOST_AT_ONCE = 4;

/** An account that does a dozen things at once, over and over, as does a peer to it. */
class BusyLife {
  private readonly mark = `mark${randomBytes(8).toString('hex')}`;
  private readonly done = new Map<string, number>();
  private readonly timers: NodeJS.Timeout[] = [];
  private readonly underWay: Promise<void>[] = [];

  private constructor(
    readonly account: Account,
    private readonly peer: Account,
    private readonly peerStream: XmppClient,
    private readonly phone: SipClient,
  ) {}

  static async begin(): Promise<BusyLife> {
    const [account, peer] = await Promise.all([registerAccount('busy'), registerAccount('peer')]);
    const [stream, peerStream] = await connectAll(account, peer);
    const life = new BusyLife(account, peer, peerStream, await SipClient.open(account));
    life.keepBusyByXmpp(stream);
    life.keepBusyOtherwise();
    return life;
  }

  get isBusy(): boolean {
    return [...this.done.values()].every((times) => times >= 5);
  }

  /** Resolves when everything that was under way has been answered, or has found no account. */
  async end(): Promise<void> {
    for (const timer of this.timers) clearInterval(timer);
    await Promise.all(this.underWay);
    await this.peerStream.features(platform.domain);
    this.phone.close();
  }

  /** What is left of the account; what others received from it is theirs. */
  async tracesOfItsOwn(): Promise<unknown[]> {
    const { username } = this.account;
    const traces = await findInDatabases(username, this.mark);
    return traces.filter((trace) => trace.username === username || !OF_OTHERS.includes(trace.table));
  }

  private keepBusyByXmpp(stream: XmppClient): void {
    const { account, peer, mark, peerStream } = this;
    // Unanswered ones too, since a stream that is cut answers nothing.
    const ask = (payload: string): Promise<void> => stream.sendStanza(`<iq type="set" id="${newId()}">${payload}</iq>`);
    this.repeat('say', () => stream.send(peer.jid, `To you ${mark}`));
    this.repeat('note', () => stream.send(account.jid, `To myself ${mark}`));
    this.repeat('hear', () => peerStream.send(account.jid, `To him ${mark}`));
    this.repeat('meet', () => peerStream.presence(account.jid, 'subscribe'));
    this.repeat('profile', () => ask(`<vCard xmlns="vcard-temp"><FN>${mark}</FN></vCard>`));
    this.repeat('block', () => ask(`<block xmlns="urn:xmpp:blocking"><item jid="${mark}@x.test"/></block>`));
    this.repeat('bookmark', () => ask(`<query xmlns="jabber:iq:private"><x xmlns="x:${mark}"/></query>`));
  }

  private keepBusyOtherwise(): void {
    const { account, mark, phone } = this;
    const { username, password, jid, api } = account;
    const device = { jid, device_id: mark, platform: 'ios', app_id: 'x', push_token: mark };
    this.repeat('register', () => phone.register(), 100);
    this.repeat('login', () => apiClient().post('/account/login', { username, password }), 100);
    this.repeat('device', () => api.post('/push/register', device));
    this.repeat('group', () => api.post('/groups', { name: mark, member_jids: [] }), 100);
  }

  private repeat(what: string, action: () => Promise<unknown>, everyMs = 15): void {
    this.done.set(what, 0);
    let running = 0;
    const once = async (): Promise<void> => {
      running += 1;
      // Not the answers count, but that it is asked for while the account goes.
      await action().catch(() => {});
      this.done.set(what, this.done.get(what)! + 1);
      running -= 1;
    };
    const again = (): void => {
      if (running < MOST_AT_ONCE) this.underWay.push(once());
    };
    this.timers.push(setInterval(again, everyMs));
  }
}

const newId = (): string => randomBytes(4).toString('hex');

const OF_OTHERS = ['archive', 'rosterusers', 'spool'];
