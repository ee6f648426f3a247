import { Module } from '@nestjs/common';
import { Kamailio, KamailioRpcClient } from './kamailio.client.js';

@Module({ providers: [{ provide: Kamailio, useClass: KamailioRpcClient }], exports: [Kamailio] })
export class KamailioModule {}
