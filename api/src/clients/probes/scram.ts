import { createHash, createHmac, pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { ProbeError } from './probe-error.js';

/** RFC 7677 §4 asks for 4096; a server that asks for many more would hold us up. */
const MOST_ITERATIONS = 1_000_000;

const derive = promisify(pbkdf2);
const sha256 = (data: Buffer): Buffer => createHash('sha256').update(data).digest();
const hmac = (key: Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();

/**
 * The client's side of SCRAM-SHA-256 without channel binding (RFC 5802, RFC 7677), for a name and password in ASCII: such
 * are their own normal form (RFC 4013).
 */
export class Scram {
  private readonly nonce = randomBytes(18).toString('base64');
  private serverSignature: Buffer = Buffer.alloc(0);

  constructor(
    private readonly username: string,
    private readonly password: string,
  ) {}

  /** The first message. */
  get first(): string {
    return `n,,${this.firstBare}`;
  }

  /** The proof for the server's challenge. @throws ProbeError */
  async final(challenge: string): Promise<string> {
    const { r: nonce = '', s: salt = '', i = '' } = attributesOf(challenge);
    const iterations = Number(i);
    if (!nonce.startsWith(this.nonce) || !(iterations > 0 && iterations <= MOST_ITERATIONS)) throw unexpected();
    const salted = await derive(this.password, Buffer.from(salt, 'base64'), iterations, 32, 'sha256');
    const withoutProof = `c=biws,r=${nonce}`;
    const transcript = `${this.firstBare},${challenge},${withoutProof}`;
    const clientKey = hmac(salted, 'Client Key');
    const signature = hmac(sha256(clientKey), transcript);
    const proof = clientKey.map((byte, index) => byte ^ signature.readUInt8(index));
    this.serverSignature = hmac(hmac(salted, 'Server Key'), transcript);
    return `${withoutProof},p=${Buffer.from(proof).toString('base64')}`;
  }

  /** The server must prove that it knows the account, too. @throws ProbeError */
  verify(success: string): void {
    const given = Buffer.from(attributesOf(success).v ?? '', 'base64');
    const wanted = this.serverSignature;
    if (wanted.length === 0 || given.length !== wanted.length || !timingSafeEqual(given, wanted)) throw unexpected();
  }

  private get firstBare(): string {
    return `n=${this.username},r=${this.nonce}`;
  }
}

/** `r=abc,s=def` as { r: 'abc', s: 'def' }. */
const attributesOf = (message: string): Partial<Record<string, string>> =>
  Object.fromEntries(message.split(',').map((part) => [part.slice(0, 1), part.slice(2)]));

const unexpected = () => new ProbeError('unexpected', 'the server does not prove that it knows the account (SCRAM)');
