import { Global, Module } from '@nestjs/common';
import { Metrics } from '../common/metrics.js';
import { BACKGROUND } from '../common/reaper.js';
import { CONFIG, type Config } from '../config/config.js';
import { Admission } from './admission.js';
import { Bus, LonelyBus } from './bus.js';
import { Presence } from './presence.js';
import { Reception } from './reception.js';
import { SharedLimits } from './shared-limits.js';
import { SocketGuests } from './socket-guests.js';
import { SocketServer } from './socket-server.js';
import { Upkeep } from './upkeep.js';
import { ValkeyBus } from './valkey-bus.js';

const busOf = ({ bus, addresses }: Config, metrics: Metrics, background: boolean): Bus =>
  bus.url ? new ValkeyBus(bus.url, addresses.xmppDomain, background, metrics) : new LonelyBus();

/** The core that every protocol over WebSockets shares. */
@Global()
@Module({
  providers: [
    Admission,
    Presence,
    Reception,
    SharedLimits,
    SocketGuests,
    SocketServer,
    Upkeep,
    { provide: Bus, useFactory: busOf, inject: [CONFIG, Metrics, BACKGROUND] },
  ],
  exports: [Bus, Presence, SocketServer, Upkeep],
})
export class RealtimeModule {}
