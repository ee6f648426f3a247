import { randomBytes } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { NeighbourTimes } from '../../common/neighbour-times.js';
import { CONFIG, type Config } from '../../config/config.js';
import { ask } from '../datagram.js';

const BINDING_REQUEST = Buffer.from([0x00, 0x01, 0x00, 0x00]);
const BINDING_SUCCESS = 0x0101;
const MAGIC_COOKIE = Buffer.from([0x21, 0x12, 0xa4, 0x42]);

/** The TURN server, asked as any client would: by a STUN binding (RFC 8489 §6). */
@Injectable()
export class Coturn {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly times: NeighbourTimes,
  ) {}

  /** Answers when coturn does. @throws Error */
  ping(timeoutMs: number): Promise<void> {
    return this.times.measure('coturn', 'ping', () => this.ask(timeoutMs));
  }

  private async ask(timeoutMs: number): Promise<void> {
    const { addresses, ports } = this.config;
    const transaction = randomBytes(12);
    const question = Buffer.concat([BINDING_REQUEST, MAGIC_COOKIE, transaction]);
    const answer = await ask(addresses.server, ports.turn, question, timeoutMs);
    const mine = answer.length >= 20 && answer.subarray(8, 20).equals(transaction);
    if (!mine || answer.readUInt16BE(0) !== BINDING_SUCCESS) throw new Error('coturn answered something else');
  }
}
