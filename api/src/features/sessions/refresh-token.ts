import { createHash, createHmac, randomBytes } from 'node:crypto';
import { isId } from '../../common/ids.js';

const SECRET_LENGTH = 32;
const SALT_LENGTH = 16;

/** A refresh token: its session and a random secret. Only the secret's SHA-256 is ever kept. */
export interface RefreshToken {
  sessionId: string;
  secret: Buffer;
}

export const newRefreshToken = (sessionId: string): RefreshToken => ({ sessionId, secret: randomBytes(SECRET_LENGTH) });

export const newSalt = (): Buffer => randomBytes(SALT_LENGTH);

/**
 * The token that follows this one. Whoever holds this one and the salt makes the same one again: the retry of a lost
 * answer needs no second successor, and what is kept in the database gives nobody the next token.
 */
export function successorOf({ sessionId, secret }: RefreshToken, salt: Buffer): RefreshToken {
  return { sessionId, secret: createHmac('sha256', secret).update(salt).digest() };
}

export const refreshHash = ({ secret }: RefreshToken): Buffer => createHash('sha256').update(secret).digest();

/** The token as clients get it: to them it is opaque. */
export const writeRefreshToken = ({ sessionId, secret }: RefreshToken): string =>
  `${sessionId}.${secret.toString('base64url')}`;

/** The token that a client sent, or null for what can't be one. */
export function readRefreshToken(text: string): RefreshToken | null {
  const [sessionId = '', encoded = '', ...rest] = text.split('.');
  const secret = Buffer.from(encoded, 'base64url');
  return isId(sessionId) && secret.length === SECRET_LENGTH && rest.length === 0 ? { sessionId, secret } : null;
}
