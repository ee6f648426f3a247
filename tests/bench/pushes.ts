import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import apn from '@parse/node-apn';
import { ApnsClient } from '@veil/api/dist/clients/apns/apns.client.js';
import { FcmClient } from '@veil/api/dist/clients/fcm/fcm.client.js';
import { PushClients } from '@veil/api/dist/clients/push/push-clients.js';
import { WebPushClient } from '@veil/api/dist/clients/webpush/webpush.client.js';
import { Clock } from '@veil/api/dist/common/clock.js';
import { Metrics } from '@veil/api/dist/common/metrics.js';
import { NeighbourTimes } from '@veil/api/dist/common/neighbour-times.js';
import { PushDelivery } from '@veil/api/dist/features/push/push-delivery.js';
import { messageOf } from '@veil/api/dist/features/push/push-message.js';
import { testConfig } from '@veil/api/dist/testing/config.js';
import { median } from './wrk.js';

const PAIRS = 15;
const PUSHES = 1000;
const APP = 'com.example.veil';
const MINUTE = 60_000;

type Round = () => Promise<void>;

const tokens = Array.from({ length: PUSHES }, (_, index) => index.toString(16).padStart(64, '0'));

/** As the API pushes a call to its devices: with deadline, gate, observation and metrics. */
function ours(environment: Record<string, string>): { round: Round; stop: () => void } {
  // A machine that has much else to do is no reason to try again.
  const config = testConfig({ ...environment, NEIGHBOUR_TIMEOUT_MS: '30000' });
  const clock = new Clock();
  const apns = new ApnsClient(clock, config);
  const clients = new PushClients(apns, new FcmClient(clock, config), new WebPushClient(clock, config));
  const metrics = new Metrics();
  const delivery = new PushDelivery(clients, new NeighbourTimes(metrics), metrics, config);
  const round = async (): Promise<void> => {
    const expiresAt = new Date(clock.milliseconds() + MINUTE);
    const call = {
      kind: 'call',
      callId: 'call@1',
      callerUsername: 'bob',
      callerName: null,
      callType: 'audio',
    } as const;
    const errand = {
      message: messageOf({ ...call, expiresAt }, true, clock.now()),
      withinMs: MINUTE,
      stop: new AbortController().signal,
    };
    const device = { alertToken: null, appId: APP, environment: 'production', keys: null } as const;
    await Promise.all(tokens.map((token) => delivery.deliver('apns', { ...device, token }, errand)));
  };
  return { round, stop: () => void apns.onApplicationShutdown() };
}

/** The same pushes by node-apn alone. */
function bare(environment: Record<string, string>): { round: Round; stop: () => void } {
  const { hostname, port } = new URL(environment.APNS_URL ?? '');
  const provider = new apn.Provider({
    token: {
      key: Buffer.from(environment.APNS_KEY ?? ''),
      keyId: environment.APNS_KEY_ID ?? '',
      teamId: environment.APNS_TEAM_ID ?? '',
    },
    address: hostname,
    port: Number(port),
    ca: [environment.APNS_CA_FILE ?? ''],
    production: true,
  });
  const round = async (): Promise<void> => {
    const send = (token: string) => {
      const notification = new apn.Notification();
      Object.assign(notification, { topic: `${APP}.voip`, pushType: 'voip', priority: 10, expiry: 0 });
      const call_id = 'call@1';
      const expires_at = new Date(Date.now() + MINUTE).toISOString();
      notification.payload = { type: 'call', call_id, call_type: 'audio', expires_at, caller_username: 'bob' };
      return provider.send(notification, token);
    };
    await Promise.all(tokens.map(send));
  };
  return { round, stop: () => void provider.shutdown() };
}

/** Pushes a second. @throws when APNs has not taken each of them */
async function rateOf(round: Round, server: ChildProcess): Promise<number> {
  const startedAt = performance.now();
  await round();
  const seconds = (performance.now() - startedAt) / 1000;
  server.send('count');
  const [taken] = await once(server, 'message');
  if (taken !== PUSHES) throw new Error(`APNs took ${taken} of ${PUSHES} pushes`);
  return PUSHES / seconds;
}

/** Pushes a second to an APNs on this machine, ours and the bare library's in turn: medians, and the median of the pairs' ratios. */
export async function comparePushes(): Promise<{ ours: number; reference: number; ratio: number }> {
  const server = fork(fileURLToPath(new URL('apns-server.js', import.meta.url)));
  const [environment] = await once(server, 'message');
  const [api, library] = [ours(environment), bare(environment)];
  const runs: [number, number][] = [];
  // The first round connects and warms up.
  for (let pair = 0; pair <= PAIRS; pair += 1) {
    runs.push([await rateOf(api.round, server), await rateOf(library.round, server)]);
  }
  for (const { stop } of [api, library]) stop();
  server.disconnect();
  const measured = runs.slice(1);
  return {
    ours: median(measured.map(([rate]) => rate)),
    reference: median(measured.map(([, rate]) => rate)),
    ratio: median(measured.map(([a, b]) => a / b)),
  };
}
