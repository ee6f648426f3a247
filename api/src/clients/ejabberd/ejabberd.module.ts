import { Module } from '@nestjs/common';
import { Ejabberd, EjabberdHttpClient } from './ejabberd.client.js';
import { EjabberdApi } from './ejabberd-api.js';

@Module({ providers: [EjabberdApi, { provide: Ejabberd, useClass: EjabberdHttpClient }], exports: [Ejabberd] })
export class EjabberdModule {}
