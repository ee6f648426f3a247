import { createHash } from 'node:crypto';
import { Problem } from '../../common/problem.js';
import { isCleanText } from '../../http/fields.js';
import type { SipDeviceRequest } from './push.dto.js';
import type { DeviceFields } from './push-registration.js';

const MOST_NAME = 128;

/**
 * The device that the push parameters of a SIP contact describe (RFC 8599 §§8–11): as an app describes it that registers
 * at our own interface.
 * @throws Problem validation_failed
 */
export function fieldsOf({ provider, instance, ...raw }: SipDeviceRequest): DeviceFields {
  const [param, prid] = [decoded(raw.param, 'param', 255), decoded(raw.prid, 'prid', 4096)];
  const device_id = instance === undefined ? nameOf(provider, param, prid) : deviceOf(instance);
  const device = { device_id, push_token: prid };
  if (provider === 'fcm') return { ...device, platform: 'android', app_id: param };
  if (provider === 'webpush') {
    const [p256dh = '', auth = ''] = param.split('.');
    return { ...device, platform: 'web', app_id: 'sip', p256dh, auth };
  }
  const environment = provider === 'apns' ? 'production' : 'sandbox';
  return { ...device, platform: 'ios', app_id: bundleOf(param), environment };
}

/** Of `<team>.<bundle>.voip`, or without the end: a call's topic has it anyway. */
function bundleOf(param: string): string {
  const bundle = /^[^.]+\.(.+?)(?:\.voip)?$/.exec(param)?.[1];
  if (bundle === undefined) throw refusal('param', 'must be <team>.<bundle>.voip');
  return bundle;
}

/** The last part of `<urn:uuid:…>` (RFC 5626 §4.1): as sessions know their devices. */
function deviceOf(instance: string): string {
  const id = /([^:<>"]+)>?"?$/.exec(instance)?.[1];
  if (id === undefined || id.length > MOST_NAME) throw refusal('instance', 'must be <urn:uuid:…>');
  return id;
}

/** For a device without an instance: another one as soon as its token is another. */
const nameOf = (...parameters: string[]): string =>
  `sip-${createHash('sha256').update(parameters.join('\0')).digest('base64url')}`;

function decoded(text: string, field: string, most: number): string {
  let value = '';
  try {
    value = decodeURIComponent(text);
  } catch {
    // No character is written like that: what is left is refused below.
  }
  if (value === '' || value.length > most || !isCleanText(value))
    throw refusal(field, 'must be text, escaped as in a URI');
  return value;
}

const refusal = (field: string, detail: string): Problem =>
  new Problem('validation_failed', `${field}: ${detail}`, { faults: [{ field, detail }] });
