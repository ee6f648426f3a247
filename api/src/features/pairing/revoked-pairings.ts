import { Injectable } from '@nestjs/common';
import { DevicesService } from '../devices/devices.service.js';
import { PairedDevices } from './paired-devices.js';
import { PairingRepository } from './pairing.repository.js';

/** The pairings of a device end with it: every process looks again, for the device and for those that it was paired with. */
@Injectable()
export class RevokedPairings {
  constructor(devices: DevicesService, pairings: PairingRepository, paired: PairedDevices) {
    devices.addRevocationStep(async (deviceId) => {
      const peers = await pairings.peersOf(deviceId);
      return () => paired.changed([deviceId, ...peers]);
    });
  }
}
