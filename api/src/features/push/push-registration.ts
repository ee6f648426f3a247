import { createECDH } from 'node:crypto';
import { type FieldFault, Problem } from '../../common/problem.js';
import type { RegisterPushRequest } from './push.dto.js';
import type { PushDevice } from './push.repository.js';

/** Longer ones are no endpoints of any service; what encrypts has to carry it for each push. */
const MOST_ENDPOINT = 2048;

/** A device, as it is described by whoever registers it. */
export type DeviceFields = Omit<RegisterPushRequest, 'jid'>;

/**
 * The device that a request registers. Which fields there must be, and may be, depends on its platform.
 * @throws Problem validation_failed
 */
export function targetOf(request: DeviceFields): PushDevice {
  const faults = faultsOf(request);
  if (faults.length > 0) {
    const summary = faults.map(({ field, detail }) => `${field}: ${detail}`).join('; ');
    throw new Problem('validation_failed', summary, { faults });
  }
  const { device_id, platform, push_token, app_id, alert_token, environment, p256dh, auth } = request;
  return {
    deviceId: device_id,
    platform,
    token: push_token,
    alertToken: alert_token ?? null,
    appId: app_id,
    environment: environment ?? 'production',
    keys: p256dh !== undefined && auth !== undefined ? { p256dh, auth } : null,
  };
}

function faultsOf({ platform, ...fields }: DeviceFields): FieldFault[] {
  const isWeb = platform === 'web';
  const only = (of: boolean, field: keyof typeof fields, who: string): FieldFault[] =>
    of || fields[field] === undefined ? [] : [{ field, detail: `is for platform ${who} only` }];
  const own = [
    ...only(platform === 'ios', 'alert_token', 'ios'),
    ...only(platform === 'ios', 'environment', 'ios'),
    ...only(isWeb, 'p256dh', 'web'),
    ...only(isWeb, 'auth', 'web'),
  ];
  return isWeb ? [...own, ...webFaults(fields)] : own;
}

function webFaults({ push_token, p256dh, auth }: Omit<DeviceFields, 'platform'>): FieldFault[] {
  const check = (isRight: boolean, field: string, detail: string): FieldFault[] => (isRight ? [] : [{ field, detail }]);
  return [
    ...check(isEndpoint(push_token), 'push_token', 'must be the https URL of the endpoint'),
    ...check(isPublicKey(p256dh), 'p256dh', 'must be a public key of P-256, base64url'),
    ...check(bytesOf(auth)?.length === 16, 'auth', 'must be 16 bytes, base64url'),
  ];
}

function isEndpoint(text: string): boolean {
  if (!URL.canParse(text) || text.length > MOST_ENDPOINT) return false;
  const { protocol, username, password } = new URL(text);
  return protocol === 'https:' && username === '' && password === '';
}

/** Browsers give it without padding, some distributors with. */
const bytesOf = (text: string | undefined): Buffer | null =>
  text !== undefined && /^[A-Za-z0-9_-]+={0,2}$/.test(text) ? Buffer.from(text, 'base64url') : null;

/** A point of the curve, uncompressed (RFC 8291 §3.1). */
function isPublicKey(text: string | undefined): boolean {
  const bytes = bytesOf(text);
  if (bytes?.length !== 65) return false;
  const own = createECDH('prime256v1');
  own.generateKeys();
  try {
    return own.computeSecret(bytes).length === 32;
  } catch {
    return false;
  }
}
