import { Module } from '@nestjs/common';
import { PushController } from './push.controller.js';
import { PushRepository } from './push.repository.js';
import { PushService } from './push.service.js';
import { PushSender } from './push-sender.js';

@Module({ controllers: [PushController], providers: [PushService, PushRepository, PushSender], exports: [PushSender] })
export class PushModule {}
