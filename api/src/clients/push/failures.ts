import { type Delivery, failed, retry } from './push-client.js';

/** Settings that say where a provider is, for those who have to look at them. */
interface Where {
  name: string;
  urlSetting: string;
  authoritySetting: string;
}

/** The codes of OpenSSL and Node for a certificate that is not trusted, or is another's. */
const CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO|ERR_TLS|HOSTNAME_MISMATCH|INVALID_CA|PATH_LENGTH/;

/** What a request without an answer means. It tells the code of the failure, never its text: that may hold a token. */
export function failureOf(error: unknown, { name, urlSetting, authoritySetting }: Where): Delivery {
  const code = codeOf(error);
  if (CERTIFICATE.test(code)) {
    return failed(`the certificate of ${name} is not trusted (${code}): look at ${authoritySetting} and ${urlSetting}`);
  }
  return retry(
    `${name} could not be reached (${code}): look at ${urlSetting}, and whether this machine may connect there`,
  );
}

export const silence = (name: string): Delivery => retry(`${name} did not answer in time`);

/** The code of what caused an error, at the bottom of it. */
export function codeOf(error: unknown): string {
  let code = 'connection lost';
  for (let at = error, depth = 0; isObject(at) && depth < MOST_CAUSES; depth += 1) {
    if (typeof at.code === 'string' && at.code !== '') code = at.code;
    // `cause` is a method of errors by verror, which keeps it as `jse_cause`; node-apn gives what failed as `error`.
    at = isObject(at.cause) ? at.cause : (at.jse_cause ?? at.error);
  }
  return code;
}

const MOST_CAUSES = 8;

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

/** Retry-After (RFC 9110 §10.2.3), seconds or a date, as milliseconds from now. Null: there is none, or none that says anything. */
export function retryAfterMs(header: string | undefined, now: Date): number | null {
  if (header !== undefined && /^\d{1,9}$/.test(header)) return Number(header) * 1000;
  // Date.parse would take a number for a year.
  const at = header?.endsWith(' GMT') ? Date.parse(header) : Number.NaN;
  return Number.isNaN(at) ? null : Math.max(0, at - now.getTime());
}

/** Whole seconds that are left, for the lifetime that a provider is told. */
export const secondsLeft = (expiresAt: Date, now: Date): number =>
  Math.max(0, Math.floor((expiresAt.getTime() - now.getTime()) / 1000));
