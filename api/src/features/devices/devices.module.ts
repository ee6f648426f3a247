import { Global, Module } from '@nestjs/common';
import { reaperOf } from '../../common/reaper.js';
import { DeviceDirectory } from '../../realtime/device-directory.js';
import { DeviceAnswers } from './device-answers.js';
import { DeviceChallengesRepository } from './device-challenges.repository.js';
import { DeviceSockets } from './device-sockets.js';
import { DevicesController } from './devices.controller.js';
import { DevicesRepository } from './devices.repository.js';
import { DevicesService } from './devices.service.js';
import { LastSeen } from './last-seen.js';

/** Global because its DeviceDirectory says who may connect. */
@Global()
@Module({
  controllers: [DevicesController],
  providers: [
    DevicesService,
    DeviceAnswers,
    DevicesRepository,
    DeviceChallengesRepository,
    DeviceSockets,
    LastSeen,
    { provide: DeviceDirectory, useExisting: DevicesRepository },
    reaperOf('last-seen', LastSeen, (lastSeen) => () => lastSeen.write()),
    reaperOf('device-challenge-reaper', DevicesService, (devices) => (most) => devices.removeExpired(most)),
  ],
  exports: [DevicesService, DeviceDirectory],
})
export class DevicesModule {}
