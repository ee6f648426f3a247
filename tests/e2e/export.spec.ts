/**
 * What an account can have of what is kept of it: one document, from all servers.
 */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { platform } from '../support/platform.js';
import { WholeLife } from '../support/whole-life.js';
import { closeXmppClients } from '../support/xmpp.js';

let life: WholeLife;
let document: {
  account: object;
  chat: object;
  groups: { group_id: string; role: string }[];
  push_registrations: object[];
  sip_registrations: { expires_at: string; contact: string }[];
  not_included: { what: string; how: string }[];
};

beforeAll(async () => {
  life = await WholeLife.begin();
  const { status, data, headers } = await life.account.api.get('/account/export');
  expect([status, headers['content-type']]).toEqual([200, 'application/json; charset=utf-8']);
  document = data;
});

afterAll(async () => {
  life.phone.close();
  await closeXmppClients();
});

it('tells what the chat server has', () => {
  const { mark, peer, account } = life;
  expect(document.chat).toEqual({
    contacts: [{ jid: peer.jid, name: '', subscription: 'both', groups: [mark] }],
    profile: { FN: `Name ${mark}` },
    private_data: [{ namespace: 'storage:bookmarks', xml: expect.stringContaining(mark) }],
    waiting_messages: 1,
  });
  expect(document.account).toMatchObject({ username: account.username, jid: account.jid, has_password: true });
});

it('tells where phones and devices are, without what opens them', () => {
  const { account, mark } = life;
  const [phone] = document.sip_registrations;
  expect(phone).toMatchObject({ contact: expect.stringContaining(`sip:${account.username}@127.0.0.1:`) });
  // Kamailio has written it in a zone that the API knows: a registration ends within minutes.
  const endsIn = Date.parse(phone!.expires_at) - Date.now();
  expect(endsIn).toBeGreaterThan(0);
  expect(endsIn).toBeLessThan(3_600_000);
  expect(document.push_registrations).toMatchObject([{ device_id: `device-${mark}`, platform: 'ios' }]);
  expect(JSON.stringify(document)).not.toContain(`token-${mark}`);
});

it('tells which groups it is in', () => {
  const { group, ownGroup } = life;
  const roles = Object.fromEntries(document.groups.map(({ group_id, role }) => [group_id, role]));
  expect(roles).toEqual({ [group.group_id]: 'member', [ownGroup.group_id]: 'owner' });
  expect(ownGroup.jid.endsWith(`@muc.${platform.domain}`)).toBe(true);
});

it('says how messages are to be had, and that way gives them', async () => {
  const { how } = document.not_included.find(({ what }) => what === 'messages')!;
  expect(how).toContain('XEP-0313');
  const bodies = (await life.stream.archive()).map(({ body }) => body);
  expect(bodies).toContain(`Between us ${life.mark}`);
});
