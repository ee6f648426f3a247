import { Module } from '@nestjs/common';
import { SmtpModule } from '../../clients/smtp/smtp.module.js';
import { reaperOf } from '../../common/reaper.js';
import { AccountModule } from '../account/account.module.js';
import { EmailController } from './email.controller.js';
import { EmailRepository } from './email.repository.js';
import { EmailService } from './email.service.js';
import { EmailNotices } from './email-notices.js';
import { Outbox } from './outbox.js';
import { OutboxRepository } from './outbox.repository.js';

@Module({
  imports: [SmtpModule, AccountModule],
  controllers: [EmailController],
  providers: [
    EmailService,
    EmailNotices,
    EmailRepository,
    Outbox,
    OutboxRepository,
    reaperOf(
      'mail-sender',
      Outbox,
      (outbox) =>
        (...limits) =>
          outbox.deliver(...limits),
    ),
    reaperOf('mail-reaper', Outbox, (outbox) => (most) => outbox.removeExpired(most)),
  ],
})
export class EmailModule {}
