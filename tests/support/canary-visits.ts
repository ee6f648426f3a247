import type { AxiosResponse } from 'axios';
import { uniqueName } from './api.js';
import type { Request, Walk } from './canary-walk.js';

/** How one operation is asked for with everything secret that it takes. It must succeed: a refusal proves little. */
export interface Visit {
  request(walk: Walk): Request | Promise<Request>;
  /** Takes what the answer brought: what is secret in it becomes a canary. */
  learn?(walk: Walk, answer: AxiosResponse): void | Promise<void>;
}

const nothing = (): Request => ({});
const asAlice = ({ alice }: Walk): Request => ({ as: alice });
const inGroup =
  (body?: object) =>
  ({ alice, groupId }: Walk): Request => ({ as: alice, path: { group_id: groupId }, body });
const ofCarol =
  (body?: object) =>
  ({ alice, carol, groupId }: Walk): Request => ({ as: alice, path: { group_id: groupId, jid: carol.jid }, body });

/** A device of Alice, with a new token. */
const device = ({ alice, canaries }: Walk): object => ({
  jid: alice.jid,
  device_id: 'canary-phone',
  platform: 'ios',
  push_token: canaries.make('push token'),
  alert_token: canaries.make('push token'),
  app_id: 'com.example.veil',
});

/** Every operation of docs/openapi.json, in an order in which three accounts can do them all. */
export const VISITS: Readonly<Record<string, Visit>> = {
  'GET /health': { request: nothing },
  'GET /health/ready': { request: nothing },
  'GET /metrics': { request: () => ({ internal: true }) },
  'GET /api/v1/server/info': { request: nothing },

  'POST /api/v1/account/register': {
    request: ({ alice: { username, email, password }, around }) => ({
      body: { username, email, password, invite_code: around.invite, device_name: 'Phone' },
    }),
    learn: ({ alice }, { data }) => alice.take(data),
  },
  'POST /api/v1/auth/register': {
    request: ({ bob: { username, password }, around }) => ({
      body: { username, password, invite_code: around.invite },
    }),
    learn: ({ bob }, { data }) => bob.take(data),
  },
  'POST /api/v1/account/login': {
    request: ({ alice: { username, password } }) => ({ body: { username, password } }),
    learn: ({ alice }, { data }) => alice.take(data),
  },
  'POST /api/v1/auth/login': {
    request: ({ bob: { username, password } }) => ({ body: { username, password } }),
    learn: ({ bob }, { data }) => bob.take(data),
  },
  'POST /api/v1/account/refresh': {
    request: ({ alice }) => ({ body: { refresh_token: alice.refreshToken } }),
    learn: ({ alice }, { data }) => alice.take(data),
  },
  'GET /api/v1/account': { request: asAlice },
  'GET /api/v1/account/sessions': { request: asAlice },

  'POST /api/v1/account/email/verify': {
    request: async (walk) => ({
      as: walk.alice,
      body: { code: await walk.code('e-mail verification code', walk.alice.email) },
    }),
  },
  'PUT /api/v1/account/email': {
    request: ({ alice }) => ({ as: alice, body: { email: `new_${alice.email}`, password: alice.password } }),
    learn: async (walk) => {
      await walk.code('e-mail verification code', `new_${walk.alice.email}`);
    },
  },
  'POST /api/v1/account/password/forgot': { request: ({ alice: { email } }) => ({ body: { email } }) },
  'POST /api/v1/account/password/reset': {
    request: async (walk) => {
      const code = await walk.code('password reset code', walk.alice.email);
      walk.alice.password = walk.canaries.make('password');
      return { body: { code, new_password: walk.alice.password } };
    },
    learn: (walk) => walk.login(walk.alice),
  },
  'PUT /api/v1/account/password': {
    request: ({ alice, canaries }) => {
      const { password } = alice;
      alice.password = canaries.make('password');
      return { as: alice, body: { password, new_password: alice.password } };
    },
  },

  'POST /api/v1/account/google/link': {
    request: ({ alice, idToken }) => ({ as: alice, body: { id_token: idToken } }),
  },
  'POST /api/v1/account/google': {
    request: ({ idToken }) => ({ body: { id_token: idToken } }),
    learn: ({ alice }, { data }) => alice.take(data),
  },
  'DELETE /api/v1/account/google': { request: asAlice },
  'POST /api/v1/auth/google': {
    request: ({ canaries, carol: { username }, around: { google, invite } }) => ({
      body: {
        id_token: canaries.learn('Google ID token', google.token(uniqueName('sub'))),
        username,
        invite_code: invite,
      },
    }),
    learn: ({ carol }, { data }) => carol.take(data),
  },

  'POST /api/v1/groups': {
    request: ({ alice, bob }) => ({ as: alice, body: { name: 'Friends', member_jids: [bob.jid] } }),
    learn: (walk, { data }) => {
      walk.groupId = data.group_id;
    },
  },
  'GET /api/v1/groups': { request: asAlice },
  'PATCH /api/v1/groups/{group_id}': { request: inGroup({ name: 'Good friends' }) },
  'GET /api/v1/groups/{group_id}/members': { request: inGroup() },
  'POST /api/v1/groups/{group_id}/members': {
    request: (walk) => inGroup({ jid: walk.carol.jid })(walk),
  },
  'PATCH /api/v1/groups/{group_id}/members/{jid}': { request: ofCarol({ role: 'admin' }) },
  'DELETE /api/v1/groups/{group_id}/members/{jid}': { request: ofCarol() },
  'POST /api/v1/groups/{group_id}/leave': {
    request: ({ bob, groupId }) => ({ as: bob, path: { group_id: groupId } }),
  },
  'DELETE /api/v1/groups/{group_id}': { request: inGroup() },

  'POST /api/v1/push/register': { request: (walk) => ({ as: walk.alice, body: device(walk) }) },
  'POST /api/v1/push/test': {
    request: ({ alice }) => ({ as: alice, body: { device_id: 'canary-phone', kind: 'message' } }),
  },
  'POST /api/v1/push/call-notify': {
    request: ({ alice, bob, callId }) => ({
      internal: true,
      body: {
        callee_username: alice.username,
        caller_username: bob.username,
        call_id: callId,
        call_type: 'audio',
      },
    }),
  },
  'POST /api/v1/calls/events': {
    request: ({ alice, bob, callId }) => {
      const call = { call_id: callId, from_username: bob.username, to_username: alice.username };
      return { internal: true, body: { events: [{ ...call, kind: 'ended', status: 480, at: '1800000000.5' }] } };
    },
  },
  'GET /api/v1/calls': { request: asAlice },
  'GET /api/v1/calls/{call_id}/trace': {
    request: ({ alice, callId }) => ({ as: alice, path: { call_id: callId } }),
  },
  'POST /api/v1/push/sip-registrations': {
    request: ({ alice, canaries }) => ({
      internal: true,
      body: {
        action: 'register',
        username: alice.username,
        provider: 'apns',
        param: 'ABCDE12345.com.example.veil.voip',
        prid: canaries.make('push token'),
        instance: '<urn:uuid:canary-phone>',
      },
    }),
  },
  'DELETE /api/v1/push/register': {
    request: ({ alice }) => ({ as: alice, body: { jid: alice.jid, device_id: 'canary-phone' } }),
  },
  'POST /api/v1/devices': {
    request: ({ alice }) => ({ as: alice, body: { name: 'Phone', type: 'host' } }),
    learn: (walk, { data }) => {
      walk.deviceId = String(data.id);
    },
  },
  'GET /api/v1/devices': { request: asAlice },
  'PATCH /api/v1/devices/{id}': {
    request: ({ alice, deviceId }) => ({ as: alice, path: { id: deviceId }, body: { name: 'Old phone' } }),
  },
  'POST /api/v1/pair': {
    request: ({ alice, deviceId }) => ({ as: alice, query: { host_device_id: deviceId } }),
    // Six digits are in every log by chance.
    learn: (walk, { data }) => {
      walk.pairingCode = data.code;
    },
  },
  'POST /api/v1/pair/confirm': {
    request: async (walk) => {
      const laptop = { as: walk.alice, body: { name: 'Laptop', type: 'client' } };
      const { data } = await walk.request('POST /api/v1/devices', laptop);
      return { as: walk.alice, body: { code: walk.pairingCode, client_device_id: data.id } };
    },
    learn: (walk, { data }) => {
      walk.pairingId = String(data.pairing_id);
    },
  },
  'GET /api/v1/pairings': { request: asAlice },
  'POST /api/v1/sms': {
    request: ({ alice, deviceId, canaries }) => ({
      as: alice,
      body: { to_device_id: deviceId, sim: 1, to: '+15550100', body: canaries.make('text message') },
    }),
  },
  'POST /api/v1/call': {
    request: ({ alice, deviceId, canaries }) => ({
      as: alice,
      body: { to_device_id: deviceId, sim: 1, to: canaries.make('number') },
    }),
  },
  'GET /api/v1/sims': { request: ({ alice, deviceId }) => ({ as: alice, query: { host_device_id: deviceId } }) },
  'GET /api/v1/history': { request: asAlice },
  'DELETE /api/v1/pairings/{id}': { request: ({ alice, pairingId }) => ({ as: alice, path: { id: pairingId } }) },
  'POST /api/v1/devices/challenge': {
    request: ({ alice }) => ({ as: alice, body: { device_id: uniqueName('canary') } }),
  },
  'POST /api/v1/devices/register': {
    request: ({ alice }) => ({ as: alice, body: { device_id: uniqueName('canary'), pubkey: 'public' } }),
  },
  'GET /api/v1/devices/keys': { request: asAlice },
  'DELETE /api/v1/devices/{id}': {
    request: async (walk) => {
      // The session that has added the device ends with it.
      await walk.login(walk.alice);
      return { as: walk.alice, path: { id: walk.deviceId } };
    },
  },
  'PUT /api/v1/contacts/{jid}': { request: ({ alice, bob }) => ({ as: alice, path: { jid: bob.jid } }) },
  'GET /api/v1/contacts': { request: asAlice },
  'DELETE /api/v1/contacts/{jid}': { request: ({ alice, bob }) => ({ as: alice, path: { jid: bob.jid } }) },
  'GET /api/v1/turn/credentials': {
    request: asAlice,
    learn: ({ canaries }, { data }) => {
      canaries.learn('TURN password', data.password);
    },
  },
  'GET /api/v1/account/export': { request: asAlice },

  'DELETE /api/v1/account/sessions/{id}': {
    request: async (walk) => {
      const { sessionId } = walk.bob;
      await walk.login(walk.bob);
      return { as: walk.bob, path: { id: sessionId } };
    },
  },
  'DELETE /api/v1/account/sessions': { request: asAlice },
  'POST /api/v1/account/logout': { request: ({ bob }) => ({ as: bob }) },
  'DELETE /api/v1/account/email': {
    request: ({ alice }) => ({ as: alice, body: { password: alice.password } }),
  },
  'DELETE /api/v1/account': {
    request: ({ alice }) => ({ as: alice, body: { jid: alice.jid, password: alice.password } }),
  },
};
