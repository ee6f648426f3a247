import { Module } from '@nestjs/common';
import { PushClientsModule } from '../../clients/push/push-clients.module.js';
import { PushController } from './push.controller.js';
import { PushRepository } from './push.repository.js';
import { PushService } from './push.service.js';
import { PushDelivery } from './push-delivery.js';
import { PushSender } from './push-sender.js';
import { PushTest } from './push-test.js';

@Module({
  imports: [PushClientsModule],
  controllers: [PushController],
  providers: [PushService, PushRepository, PushSender, PushDelivery, PushTest],
  exports: [PushSender],
})
export class PushModule {}
