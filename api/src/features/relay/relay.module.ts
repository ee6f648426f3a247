import { Module } from '@nestjs/common';
import { reaperOf } from '../../common/reaper.js';
import { AccountModule } from '../account/account.module.js';
import { DevicesModule } from '../devices/devices.module.js';
import { PairingModule } from '../pairing/pairing.module.js';
import { RelayController } from './relay.controller.js';
import { RelayProtocol } from './relay.protocol.js';
import { RelayService } from './relay.service.js';
import { RelayCommands } from './relay-commands.js';
import { RelayDelivery } from './relay-delivery.js';
import { RelayGrowth } from './relay-growth.js';
import { RelayHistory } from './relay-history.js';
import { RelayHistoryRepository } from './relay-history.repository.js';
import { RelayJournal } from './relay-journal.js';
import { RelayMessagesRepository } from './relay-messages.repository.js';
import { RelayPresence } from './relay-presence.js';
import { RelayReceipts } from './relay-receipts.js';
import { RelayRouter } from './relay-router.js';
import { RelayUpkeep } from './relay-upkeep.js';

@Module({
  imports: [AccountModule, DevicesModule, PairingModule],
  controllers: [RelayController],
  providers: [
    ...[RelayProtocol, RelayRouter, RelayCommands, RelayService, RelayDelivery, RelayJournal, RelayReceipts],
    ...[RelayMessagesRepository, RelayHistory, RelayHistoryRepository, RelayGrowth, RelayPresence, RelayUpkeep],
    reaperOf('relay-expiry', RelayUpkeep, (upkeep) => (most) => upkeep.expire(most)),
    reaperOf('relay-retention', RelayUpkeep, (upkeep) => (most) => upkeep.forget(most)),
    reaperOf('relay-trim', RelayUpkeep, (upkeep) => (most) => upkeep.trim(most)),
    reaperOf('relay-sweep', RelayUpkeep, (upkeep) => () => upkeep.sweep()),
  ],
  exports: [RelayHistory],
})
export class RelayModule {}
