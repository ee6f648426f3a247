import { Module } from '@nestjs/common';
import { PushClientsModule } from '../../clients/push/push-clients.module.js';
import { PushController } from './push.controller.js';
import { PushRepository } from './push.repository.js';
import { PushService } from './push.service.js';
import { PushDelivery } from './push-delivery.js';
import { PushNodes } from './push-nodes.js';
import { PushNodesRepository } from './push-nodes.repository.js';
import { PushSender } from './push-sender.js';
import { PushTest } from './push-test.js';
import { SipDevices } from './sip-devices.js';

@Module({
  imports: [PushClientsModule],
  controllers: [PushController],
  providers: [
    PushService,
    PushRepository,
    PushSender,
    PushDelivery,
    PushNodes,
    PushNodesRepository,
    PushTest,
    SipDevices,
  ],
  exports: [PushSender, PushNodes],
})
export class PushModule {}
