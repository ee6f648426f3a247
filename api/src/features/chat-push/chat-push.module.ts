import { Module } from '@nestjs/common';
import { XmppComponentModule } from '../../clients/xmpp-component/xmpp-component.module.js';
import { reaperOf } from '../../common/reaper.js';
import { PushModule } from '../push/push.module.js';
import { ChatPush } from './chat-push.service.js';
import { WakeUps } from './wake-ups.js';

@Module({
  imports: [XmppComponentModule, PushModule],
  providers: [
    ChatPush,
    WakeUps,
    reaperOf('push-session-reaper', ChatPush, (push) => (most) => push.endSessions(most)),
    reaperOf('wake-up-reaper', WakeUps, (wakeUps) => () => wakeUps.tellLater()),
  ],
})
export class ChatPushModule {}
