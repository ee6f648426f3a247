import { Module } from '@nestjs/common';
import { ChatData, ChatDataHttpClient } from './chat-data.client.js';
import { Ejabberd, EjabberdHttpClient } from './ejabberd.client.js';
import { EjabberdApi } from './ejabberd-api.js';

@Module({
  providers: [
    EjabberdApi,
    { provide: Ejabberd, useClass: EjabberdHttpClient },
    { provide: ChatData, useClass: ChatDataHttpClient },
  ],
  exports: [Ejabberd, ChatData],
})
export class EjabberdModule {}
