import { Inject, Injectable } from '@nestjs/common';
import { NeighbourTimes } from '../../common/neighbour-times.js';
import { CONFIG, type Config } from '../../config/config.js';
import { ask } from '../datagram.js';

/** The media relay's control protocol (ng): a cookie, a space and a bencoded dictionary. */
@Injectable()
export class Rtpengine {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly times: NeighbourTimes,
  ) {}

  /** Answers when rtpengine does. @throws Error */
  ping(timeoutMs: number): Promise<void> {
    return this.times.measure('rtpengine', 'ping', () => this.ask(timeoutMs));
  }

  private async ask(timeoutMs: number): Promise<void> {
    const { neighbours, ports } = this.config;
    const question = Buffer.from('veil d7:command4:pinge');
    const answer = await ask(neighbours.rtpengineHost, ports.rtpengineNg, question, timeoutMs);
    if (!answer.includes('4:pong')) throw new Error('rtpengine answered something else than pong');
  }
}
