import { Inject, Injectable } from '@nestjs/common';
import { Coturn } from '../../clients/coturn/coturn.client.js';
import { Ejabberd } from '../../clients/ejabberd/ejabberd.client.js';
import { Kamailio } from '../../clients/kamailio/kamailio.client.js';
import { Rtpengine } from '../../clients/rtpengine/rtpengine.client.js';
import { XmppComponent } from '../../clients/xmpp-component/xmpp-component.client.js';
import { Clock } from '../../common/clock.js';
import { CONFIG, type Config } from '../../config/config.js';
import { Bus } from '../../realtime/bus.js';
import type { HealthAnswer, Neighbour, NeighbourState, ReadinessAnswer } from './health.dto.js';
import { HealthRepository } from './health.repository.js';

/** A neighbour that has not answered by then counts as down. */
const PATIENCE_MS = 2000;
/** Probes of many callers within this time are one probe. */
const FRESH_MS = 1000;

/** Without these the API can do none of its work. */
const VITAL: readonly Neighbour[] = ['postgresql', 'ejabberd'];

type Probe = () => Promise<void>;

@Injectable()
export class HealthService {
  private latest: Promise<ReadinessAnswer> | undefined;
  private askedAt = 0;
  private readonly probes: [name: Neighbour, probe: Probe][];

  constructor(
    private readonly clock: Clock,
    database: HealthRepository,
    ejabberd: Ejabberd,
    kamailio: Kamailio,
    media: Rtpengine,
    turn: Coturn,
    push: XmppComponent,
    processes: Bus,
    @Inject(CONFIG) { bus }: Config,
  ) {
    const always: Record<Exclude<Neighbour, 'valkey'>, Probe> = {
      postgresql: () => database.ping(),
      ejabberd: () => ejabberd.ping(),
      kamailio: () => kamailio.ping(),
      rtpengine: () => media.ping(PATIENCE_MS),
      coturn: () => turn.ping(PATIENCE_MS),
      chat_push: async () => requireConnected(push),
    };
    const all = bus.url ? { ...always, valkey: () => processes.ping() } : always;
    this.probes = Object.entries(all) as [Neighbour, Probe][];
  }

  alive(): HealthAnswer {
    return { status: 'ok', timestamp: this.clock.now().toISOString() };
  }

  /** Asks every neighbour in its own protocol. */
  readiness(): Promise<ReadinessAnswer> {
    const now = this.clock.milliseconds();
    if (!this.latest || now - this.askedAt >= FRESH_MS) {
      this.askedAt = now;
      this.latest = this.ask();
    }
    return this.latest;
  }

  private async ask(): Promise<ReadinessAnswer> {
    const states = await Promise.all(
      this.probes.map(async ([name, probe]) => [name, await this.stateOf(probe)] as const),
    );
    const neighbours = Object.fromEntries(states) as unknown;
    const down = states.filter(([, { state }]) => state === 'down');
    const vitalDown = down.some(([name]) => VITAL.includes(name));
    const status = down.length === 0 ? 'ready' : vitalDown ? 'unavailable' : 'degraded';
    return { status, neighbours: neighbours as ReadinessAnswer['neighbours'] };
  }

  private async stateOf(probe: Probe): Promise<NeighbourState> {
    const startedAt = this.clock.milliseconds();
    const state = await within(PATIENCE_MS, probe()).then(
      () => 'up' as const,
      () => 'down' as const,
    );
    return { state, ms: this.clock.milliseconds() - startedAt };
  }
}

function requireConnected({ connected }: XmppComponent): void {
  if (!connected) throw new Error('not connected');
}

function within(ms: number, work: Promise<void>): Promise<void> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error('late')), ms);
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
