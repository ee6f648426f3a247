import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../../common/clock.js';
import { CONFIG, type Config } from '../../config/config.js';
import type { Caller } from '../../http/access.js';
import type { TurnCredentials } from './turn.dto.js';

/** Time-limited TURN credentials that coturn checks with the shared secret alone (draft-uberti-behave-turn-rest-00). */
@Injectable()
export class TurnService {
  private readonly key: KeyObject;
  private readonly ttl: number;
  private readonly uris: string[];

  constructor(
    private readonly clock: Clock,
    @Inject(CONFIG) { addresses, ports, turn }: Config,
  ) {
    this.key = createSecretKey(turn.secret.reveal(), 'utf8');
    this.ttl = turn.ttlSeconds;
    const plain = `${addresses.turnDomain}:${ports.turn}`;
    const tls = `${addresses.turnDomain}:${ports.turnTls}`;
    this.uris = [`turn:${plain}?transport=udp`, `turn:${plain}?transport=tcp`, `turns:${tls}?transport=tcp`];
  }

  /** The user part is the account's random id: it appears in the relay's logs, where no name belongs. */
  credentials(caller: Caller): TurnCredentials {
    const username = `${this.clock.seconds() + this.ttl}:${caller.accountId}`;
    const password = createHmac('sha1', this.key).update(username).digest('base64');
    return { username, password, ttl: this.ttl, uris: this.uris };
  }
}
