export const PUSH_PROVIDERS = ['apns', 'fcm', 'webpush'] as const;
export type PushProvider = (typeof PUSH_PROVIDERS)[number];

/** Where a device is reached. Its tokens and keys are secrets: whoever has them can wake it. */
export interface PushTarget {
  /** Of APNs the VoIP token, of FCM the registration token, of Web Push the endpoint. */
  token: string;
  /** Of APNs the token for all that must not ring; null when the app has registered none. */
  alertToken: string | null;
  /** Bundle id or package name. */
  appId: string;
  /** Of APNs: which of its two services the tokens are good for. */
  environment: PushEnvironment;
  /** Of Web Push (RFC 8291 §3): base64url. */
  keys: { p256dh: string; auth: string } | null;
}

export const PUSH_ENVIRONMENTS = ['production', 'sandbox'] as const;
export type PushEnvironment = (typeof PUSH_ENVIRONMENTS)[number];

/** What a device is told, before it is in the form of a provider. */
export interface PushMessage {
  /** Fields for the app. Text only: FCM carries nothing else. */
  data: Record<string, string>;
  /** It shall ring now: by a VoIP push where there are such, and by no other. */
  rings: boolean;
  /** What the device shows when its app doesn't, in English and as the key of a translation; null: nothing is shown. */
  shown: string | null;
  /** False: the device may take it when it wakes by itself. */
  urgent: boolean;
  /** A newer one with the same word takes the place of one that waits. */
  topic: string | null;
  /** Worth nothing after that. */
  expiresAt: Date;
}

/** How one attempt ended. `detail` is for whoever has to mend it: it names no token, and settings by their names. */
export type Delivery =
  | { result: 'accepted'; detail: string }
  /** The provider says that the token is dead, and of `alertToken` or `token` which. `at`: since when, where it tells. */
  | { result: 'unregistered'; detail: string; which: 'token' | 'alertToken'; at: Date | null }
  /** It will never take it. */
  | { result: 'rejected'; detail: string }
  /** It may take it later. @see afterMs when it says so itself */
  | { result: 'retry'; detail: string; afterMs: number | null }
  /** It can't be reached, and trying again is of no use. */
  | { result: 'failed'; detail: string };

/** Hands messages to one provider. */
export abstract class PushClient {
  abstract readonly provider: PushProvider;

  /** What the operator has to set before anything can be sent; null when that is done. */
  abstract readonly missing: string | null;

  /** One attempt, which ends within the time, in whole milliseconds. Whatever happens is told, and nothing thrown. */
  abstract deliver(target: PushTarget, message: PushMessage, withinMs: number): Promise<Delivery>;
}

export const accepted = (detail: string) => ({ result: 'accepted', detail }) as const satisfies Delivery;
export const rejected = (detail: string) => ({ result: 'rejected', detail }) as const satisfies Delivery;
export const failed = (detail: string) => ({ result: 'failed', detail }) as const satisfies Delivery;
export const retry = (detail: string, afterMs: number | null = null) =>
  ({ result: 'retry', detail, afterMs }) as const satisfies Delivery;
