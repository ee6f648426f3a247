import { createHash, createHmac, pbkdf2Sync, randomBytes, timingSafeEqual } from 'node:crypto';

const sha256 = (data: Buffer): Buffer => createHash('sha256').update(data).digest();
const hmac = (key: Buffer, data: string): Buffer => createHmac('sha256', key).update(data).digest();
const attribute = (message: string, name: string): string => {
  const found = message.split(',').find((part) => part.startsWith(`${name}=`));
  if (!found) throw new Error(`SCRAM: no ${name} in "${message}"`);
  return found.slice(2);
};

/** The client's side of SCRAM-SHA-256 without channel binding (RFC 5802, RFC 7677). */
export class Scram {
  private readonly firstBare: string;
  private serverSignature: Buffer | undefined;

  constructor(
    username: string,
    private readonly password: string,
  ) {
    this.firstBare = `n=${username},r=${randomBytes(18).toString('base64')}`;
  }

  first(): string {
    return `n,,${this.firstBare}`;
  }

  /** The proof for the server's challenge. */
  final(challenge: string): string {
    const salt = Buffer.from(attribute(challenge, 's'), 'base64');
    const salted = pbkdf2Sync(this.password, salt, Number(attribute(challenge, 'i')), 32, 'sha256');
    const withoutProof = `c=${Buffer.from('n,,').toString('base64')},r=${attribute(challenge, 'r')}`;
    const transcript = `${this.firstBare},${challenge},${withoutProof}`;
    const clientKey = hmac(salted, 'Client Key');
    const signature = hmac(sha256(clientKey), transcript);
    const proof = Buffer.from(clientKey.map((byte, index) => byte ^ signature[index]!));
    this.serverSignature = hmac(hmac(salted, 'Server Key'), transcript);
    return `${withoutProof},p=${proof.toString('base64')}`;
  }

  /** Throws unless the server has proven that it knows the account's keys too. */
  verify(success: string): void {
    const given = Buffer.from(attribute(success, 'v'), 'base64');
    if (!this.serverSignature || !timingSafeEqual(given, this.serverSignature)) {
      throw new Error('SCRAM: the server could not prove that it knows the account');
    }
  }
}
