import { Module } from '@nestjs/common';
import { EjabberdModule } from '../../clients/ejabberd/ejabberd.module.js';
import { reaperOf } from '../../common/reaper.js';
import { ChatRetention } from './chat-retention.js';

@Module({
  imports: [EjabberdModule],
  providers: [ChatRetention, reaperOf('chat-retention', ChatRetention, (chat) => () => chat.runWhenDue())],
})
export class RetentionModule {}
