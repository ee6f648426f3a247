/** How postgres.js and PostgreSQL say that the database cannot be reached, as opposed to refusing a statement. */
const UNAVAILABLE = new Set([
  'CONNECT_TIMEOUT',
  'CONNECTION_CLOSED',
  'CONNECTION_DESTROYED',
  'CONNECTION_ENDED',
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  '53300', // too many connections
  '57014', // statement timeout
  '57P01', // shut down by an administrator
  '57P02', // crashed
  '57P03', // starting up
]);

/** How postgres.js or PostgreSQL calls a failure; empty for one that is neither's. It holds nothing of the statement. */
export const databaseErrorCode = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';

/** Whether the database was out of reach: nothing is known about the statement then, and a retry may succeed. */
export function isDatabaseUnavailable(error: unknown): boolean {
  return UNAVAILABLE.has(databaseErrorCode(error));
}

/** Whether a statement was refused since somebody else has what must be unique. */
export const isUniqueViolation = (error: unknown): boolean => databaseErrorCode(error) === '23505';
