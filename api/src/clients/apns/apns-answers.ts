import { type Delivery, type PushEnvironment, rejected, retry } from '../push/push-client.js';

export interface ApnsAnswer {
  status: number;
  reason: string;
  /** Milliseconds since the epoch, with 410. */
  timestamp: unknown;
  /** Retry-After, where there was one. */
  afterMs: number | null;
}

export interface Asked {
  which: 'token' | 'alertToken';
  environment: PushEnvironment;
}

/** Reasons that say that a token is dead, whatever the status. */
const DEAD = new Set(['Unregistered', 'BadDeviceToken', 'ExpiredToken']);

/** Reasons that say nothing of the push: with the next attempt it may be different. */
const PASSING = new Set(['ExpiredProviderToken', 'TooManyRequests', 'TooManyProviderTokenUpdates', 'IdleTimeout']);

/** What to look at, for reasons that somebody can do something about ("Handling notification responses from APNs"). */
const REMEDIES: Record<string, string> = {
  Unregistered: 'the app is not installed any more, or has a new token that it must register',
  ExpiredToken: 'the app has a new token that it must register',
  BadDeviceTokenproduction: 'a token of an app that was run from Xcode is to be registered with environment "sandbox"',
  BadDeviceTokensandbox:
    'a token of an app of the App Store or TestFlight is to be registered with environment "production"',
  DeviceTokenNotForTopic: 'the app_id that was registered is not the bundle id of the app that got the token',
  TopicDisallowed: 'APNS_KEY may not send to this app_id: is it of the team APNS_TEAM_ID?',
  BadTopic: 'the app_id that was registered is no bundle id',
  MissingTopic: 'the app_id that was registered is no bundle id',
  InvalidProviderToken: 'APNS_KEY, APNS_KEY_ID and APNS_TEAM_ID do not belong together, or the key was revoked',
  ExpiredProviderToken: 'the clock of this server is wrong',
  BadEnvironmentKeyIdInToken: 'APNS_KEY is good for the other environment only',
  PayloadTooLarge: 'it has more bytes than APNs takes',
};

const remedyOf = (reason: string, environment: PushEnvironment): string => {
  const remedy = REMEDIES[reason] ?? REMEDIES[reason + environment];
  return remedy ? `: ${remedy}` : '';
};

/** What an answer of APNs that is not 200 means. */
export function deliveryOf({ status, reason, timestamp, afterMs }: ApnsAnswer, asked: Asked): Delivery {
  // A proxy in between may answer anything: what is no word is not passed on.
  const known = /^[A-Za-z]{1,64}$/.test(reason) ? ` ${reason}` : '';
  const detail = `APNs answered ${status}${known}${remedyOf(reason, asked.environment)}`;
  if (DEAD.has(reason) && status >= 400 && status < 500) {
    const at = typeof timestamp === 'number' && Number.isFinite(timestamp) ? new Date(timestamp) : null;
    return { result: 'unregistered', detail, which: asked.which, at };
  }
  if (status === 429 || status >= 500 || status === 408 || PASSING.has(reason)) {
    return retry(detail, afterMs);
  }
  return rejected(detail);
}
