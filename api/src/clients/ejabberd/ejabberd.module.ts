import { Module } from '@nestjs/common';
import { Ejabberd, EjabberdHttpClient } from './ejabberd.client.js';

@Module({ providers: [{ provide: Ejabberd, useClass: EjabberdHttpClient }], exports: [Ejabberd] })
export class EjabberdModule {}
