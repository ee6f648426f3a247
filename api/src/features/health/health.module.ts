import { Module } from '@nestjs/common';
import { Coturn } from '../../clients/coturn/coturn.client.js';
import { EjabberdModule } from '../../clients/ejabberd/ejabberd.module.js';
import { KamailioModule } from '../../clients/kamailio/kamailio.module.js';
import { Rtpengine } from '../../clients/rtpengine/rtpengine.client.js';
import { XmppComponentModule } from '../../clients/xmpp-component/xmpp-component.module.js';
import { HealthController } from './health.controller.js';
import { HealthRepository } from './health.repository.js';
import { HealthService } from './health.service.js';

@Module({
  imports: [EjabberdModule, KamailioModule, XmppComponentModule],
  controllers: [HealthController],
  providers: [HealthService, HealthRepository, Rtpengine, Coturn],
  exports: [HealthService],
})
export class HealthModule {}
