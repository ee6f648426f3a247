import { Module } from '@nestjs/common';
import { reaperOf } from '../../common/reaper.js';
import { DevicesModule } from '../devices/devices.module.js';
import { PairedDevices } from './paired-devices.js';
import { PairingController } from './pairing.controller.js';
import { PairingRepository } from './pairing.repository.js';
import { PairingService } from './pairing.service.js';
import { RevokedPairings } from './revoked-pairings.js';

@Module({
  imports: [DevicesModule],
  controllers: [PairingController],
  providers: [
    PairingService,
    PairingRepository,
    PairedDevices,
    RevokedPairings,
    reaperOf('pairing-reaper', PairingService, (pairings) => (most) => pairings.removeExpired(most)),
  ],
  exports: [PairedDevices],
})
export class PairingModule {}
