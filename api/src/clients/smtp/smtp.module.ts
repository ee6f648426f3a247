import { Module } from '@nestjs/common';
import { Mailer } from './smtp.client.js';

@Module({ providers: [Mailer], exports: [Mailer] })
export class SmtpModule {}
