import type { Secret } from '../common/secret.js';
import { headerSecretSetting, integer, networkList, oneOf, type SettingReader, setting, text } from './setting.js';

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'silent'] as const;

export const httpSettings = {
  TRUSTED_PROXIES: setting(
    'TRUSTED_PROXIES',
    networkList,
    '',
    'Addresses or networks of reverse proxies whose X-Forwarded-For the API and ejabberd believe. Empty: none.',
  ),
  CORS_ORIGIN: setting(
    'CORS_ORIGIN',
    text,
    '',
    'Origin of web clients that may call the API from a browser (* for any). Empty: none.',
  ),
  RATE_LIMIT_FACTOR: setting(
    'RATE_LIMIT_FACTOR',
    integer(1, 1_000_000),
    1,
    'Multiplies every rate limit, for load tests and very large households.',
  ),
  MAX_CONNECTIONS: setting(
    'MAX_CONNECTIONS',
    integer(10, 1_000_000),
    10_000,
    'Most connections that one listener of an API process holds; what comes beyond is closed at once.',
  ),
  DRAIN_SECONDS: setting(
    'DRAIN_SECONDS',
    integer(0, 10),
    0,
    'How long an API that was told to stop goes on listening, so that a proxy that asks /health/ready turns away first.',
  ),
  LOG_LEVEL: setting('LOG_LEVEL', oneOf(...LOG_LEVELS), 'info', `Least severe log line: ${LOG_LEVELS.join(', ')}.`),
  INTERNAL_SECRET: headerSecretSetting(
    'INTERNAL_SECRET',
    32,
    'Shared by the API and Kamailio for webhooks and JSON-RPC.',
  ),
};

/** What one client may take of a listener: times in milliseconds. */
export interface HttpLimits {
  /** From the first byte of a request, or of the connection, to the last of its headers. */
  headersMs: number;
  /** From the first byte of a request to its last. */
  requestMs: number;
  /** Between two requests: longer than the minute of the usual proxies, so that they are the ones to close. */
  keepAliveMs: number;
  /** While a client reads nothing of its answer. */
  stalledMs: number;
  /** How often clients are looked for that take too long. */
  checkMs: number;
  /** All headers of a request together. */
  headerBytes: number;
  connections: number;
}

const LIMITS = {
  headersMs: 10_000,
  requestMs: 30_000,
  keepAliveMs: 65_000,
  stalledMs: 30_000,
  checkMs: 2000,
  headerBytes: 16 * 1024,
} satisfies Omit<HttpLimits, 'connections'>;

export interface HttpConfig {
  trustedProxies: string[];
  corsOrigin: string;
  rateLimitFactor: number;
  drainSeconds: number;
  limits: HttpLimits;
  logLevel: (typeof LOG_LEVELS)[number];
  internalSecret: Secret;
}

export function readHttp({ read }: SettingReader): HttpConfig {
  return {
    trustedProxies: read(httpSettings.TRUSTED_PROXIES),
    corsOrigin: read(httpSettings.CORS_ORIGIN),
    rateLimitFactor: read(httpSettings.RATE_LIMIT_FACTOR),
    drainSeconds: read(httpSettings.DRAIN_SECONDS),
    limits: { ...LIMITS, connections: read(httpSettings.MAX_CONNECTIONS) },
    logLevel: read(httpSettings.LOG_LEVEL),
    internalSecret: read(httpSettings.INTERNAL_SECRET),
  };
}
