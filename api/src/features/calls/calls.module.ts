import { Module } from '@nestjs/common';
import { reaperOf } from '../../common/reaper.js';
import { PushModule } from '../push/push.module.js';
import { CallEvents } from './call-events.js';
import { CallEventsRepository } from './call-events.repository.js';
import { CallHistoryRepository } from './call-history.repository.js';
import { CallNotices } from './call-notices.js';
import { CallPushes } from './call-pushes.js';
import { CallsController } from './calls.controller.js';
import { CallsRepository } from './calls.repository.js';
import { CallsService } from './calls.service.js';

@Module({
  imports: [PushModule],
  controllers: [CallsController],
  providers: [
    CallsService,
    CallNotices,
    CallEvents,
    CallPushes,
    CallsRepository,
    CallEventsRepository,
    CallHistoryRepository,
    reaperOf('call-reaper', CallsService, (calls) => (most) => calls.tidy(most)),
  ],
})
export class CallsModule {}
