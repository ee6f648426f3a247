import { Global, Module } from '@nestjs/common';
import { Admission } from './admission.js';
import { Bus, LonelyBus } from './bus.js';
import { Presence } from './presence.js';
import { Reception } from './reception.js';
import { SocketGuests } from './socket-guests.js';
import { SocketServer } from './socket-server.js';
import { Upkeep } from './upkeep.js';

/** The core that every protocol over WebSockets shares. */
@Global()
@Module({
  providers: [
    Admission,
    Presence,
    Reception,
    SocketGuests,
    SocketServer,
    Upkeep,
    { provide: Bus, useClass: LonelyBus },
  ],
  exports: [Bus, Presence, SocketServer, Upkeep],
})
export class RealtimeModule {}
