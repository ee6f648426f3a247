import { randomBytes } from 'node:crypto';
import { type Account, apiClient, registerAccount } from './api.js';
import { registerDevice, type XmppPush } from './chat-push.js';
import { waitsOffline, writeToVeil } from './databases.js';
import { https } from './https.js';
import { startCall } from './sip-call.js';
import { SipClient } from './sip-client.js';
import { until } from './wait.js';
import { XmppClient } from './xmpp.js';

export const DEVICES = 'urn:xmpp:omemo:2:devices';

/** A group as its members know it. */
export interface Group {
  group_id: string;
  jid: string;
}

/**
 * An account that leaves something wherever an account can: contacts, conversations, a profile, keys, a file, groups,
 * devices. Each bears the mark: what is found of it after a deletion was overlooked.
 */
export class WholeLife {
  readonly mark = `mark${randomBytes(8).toString('hex')}`;
  /** The group that the peer owns, and the one that the account owns. */
  group!: Group;
  ownGroup!: Group;
  fileUrl!: string;
  phone!: SipClient;
  /** Open, and not available: what is sent to the account waits. */
  stream!: XmppClient;
  /** Where the chat server pushes to its device. */
  private push!: XmppPush;
  private sessionId = '';

  private constructor(
    readonly account: Account,
    readonly peer: Account,
    readonly peerStream: XmppClient,
  ) {}

  /** Close XMPP clients and the phone when it is over. */
  static async begin(): Promise<WholeLife> {
    const [account, peer] = await Promise.all([registerAccount('gone'), registerAccount('peer')]);
    const life = new WholeLife(account, peer, await XmppClient.connect(peer));
    [life.group, life.ownGroup] = await Promise.all([createGroup(peer, account), createGroup(account, peer)]);
    await life.liveOnXmpp();
    await life.receiveWhileAway();
    await life.registerDevices();
    await life.refreshSession();
    life.stream = await XmppClient.connect(account, { available: false });
    await life.stream.enablePush(life.push.node, life.push.secret);
    return life;
  }

  get accountId(): string {
    return claims(this.account.token).sub;
  }

  /** What its rows can be found by. */
  get signs(): string[] {
    return [this.account.username, this.accountId, this.mark, this.sessionId, this.push.node];
  }

  /** Rows that stay for a moment only, and that a deletion may come upon. */
  async leaveMomentaryRows(): Promise<void> {
    const { accountId, mark } = this;
    const later = new Date(Date.now() + 3_600_000);
    const address = `${mark}@mail.test`;
    await writeToVeil(async (sql) => {
      await sql`
        INSERT INTO session_endings (id, account_id, device_id, due_at)
        VALUES (gen_random_uuid(), ${accountId}, ${mark}, ${later})`;
      await sql`
        INSERT INTO device_challenges (account_id, device_id, challenge, expires_at)
        VALUES (${accountId}, ${mark}, ${randomBytes(32)}, ${later})`;
      await sql`
        INSERT INTO password_changes (account_id, id, sealed_password, lease_until)
        VALUES (${accountId}, gen_random_uuid(), ${Buffer.from(mark)}, ${later})`;
      await sql`
        INSERT INTO account_codes (account_id, purpose, code_hash, email, expires_at)
        VALUES (${accountId}, 'verify_email', ${randomBytes(32)}, ${address}, ${later})`;
      await sql`
        INSERT INTO mails (id, kind, account_id, recipient, next_try_at, expires_at)
        VALUES (gen_random_uuid(), 'verify_email', ${accountId}, ${address}, ${later}, ${later})`;
    });
  }

  private async liveOnXmpp(): Promise<void> {
    const { account, mark, peer, peerStream } = this;
    const own = await XmppClient.connect(account);
    await own.addContact(peer.jid, `Peer ${mark}`);
    await own.presence(peer.jid, 'subscribe');
    await until('they are contacts', async () => (await own.contacts())[0]?.subscription === 'both');
    await own.iq(
      'set',
      `<query xmlns="jabber:iq:roster"><item jid="${peer.jid}"><group>${mark}</group></item></query>`,
    );
    await own.setVcard(`Name ${mark}`);
    await own.storePrivate(
      `<storage xmlns="storage:bookmarks"><url name="${mark}" url="https://veil.test/"/></storage>`,
    );
    await own.publish(
      DEVICES,
      'current',
      `<devices xmlns="urn:xmpp:omemo:2"><device id="1" label="${mark}"/></devices>`,
    );
    await own.iq('set', `<block xmlns="urn:xmpp:blocking"><item jid="${mark}@nuisance.test"/></block>`);
    await own.iq(
      'set',
      `<prefs xmlns="urn:xmpp:mam:2" default="always"><never><jid>${mark}@bot.test</jid></never></prefs>`,
    );
    await own.send(peer.jid, `Between us ${mark}`);
    await peerStream.receivedBody(`Between us ${mark}`);
    await own.join(this.group.jid);
    await own.sendToRoom(this.group.jid, `To all ${mark}`);
    await own.receivedBody(`To all ${mark}`);
    await this.upload(own);
    await own.close();
  }

  private async upload(own: XmppClient): Promise<void> {
    const file = Buffer.from(`A file with ${this.mark} in it`);
    const slot = await own.uploadSlot('diary.txt', file.length);
    await https.put(slot.put, file);
    this.fileUrl = slot.get;
  }

  private async receiveWhileAway(): Promise<void> {
    await this.peerStream.send(this.account.jid, `Never to be read ${this.mark}`);
    await waitsOffline(this.account.username, 'Never to be read');
  }

  private async registerDevices(): Promise<void> {
    const { account, mark } = this;
    const device = { platform: 'ios', push_token: `token-${mark}` };
    this.push = await registerDevice(account, `device-${mark}`, device);
    await account.api.post('/devices/register', { device_id: mark, pubkey: `key-${mark}`, name: `Laptop ${mark}` });
    await account.api.put(`/contacts/${this.peer.jid}`);
    await this.textThroughPhone();
    this.phone = await SipClient.open(account);
    await this.phone.register();
    await this.beCalled();
  }

  /** A text message waits for a phone with a SIM card, which shows a code to be paired by once more. */
  private async textThroughPhone(): Promise<void> {
    const { account, mark } = this;
    const added = async (type: string): Promise<number> =>
      (await account.api.post('/devices', { name: `${type} ${mark}`, type })).data.id;
    const [host, client] = [await added('host'), await added('client')];
    const codeOf = async (): Promise<string> => (await account.api.post(`/pair?host_device_id=${host}`)).data.code;
    await account.api.post('/pair/confirm', { code: await codeOf(), client_device_id: client });
    await codeOf();
    await account.api.post('/sms', { to_device_id: host, sim: 1, to: '110', body: `Text ${mark}` });
  }

  /** Somebody calls, and the phone declines. */
  private async beCalled(): Promise<void> {
    const caller = await SipClient.open(this.peer);
    const call = await startCall(caller, this.phone.address);
    const invite = await this.phone.incoming('INVITE');
    this.phone.reply(invite, 180, { tag: 'phone' });
    this.phone.reply(invite, 603, { tag: 'phone' });
    caller.acknowledge(call, await caller.final(call));
    caller.close();
    const { api } = this.account;
    await until('the call is known', async () => (await api.get('/calls')).data.calls[0]?.outcome === 'declined');
  }

  private async refreshSession(): Promise<void> {
    const { username, password } = this.account;
    const { data } = await apiClient().post('/account/login', { username, password, device_name: this.mark });
    await apiClient().post('/account/refresh', { refresh_token: data.refresh_token });
    this.sessionId = claims(data.token).sid;
  }
}

const claims = (token: string): { sub: string; sid: string } =>
  JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString());

async function createGroup(owner: Account, other: Account): Promise<Group> {
  return (await owner.api.post('/groups', { name: 'Friends', member_jids: [other.jid] })).data;
}
