import { Module } from '@nestjs/common';
import { ApnsClient } from '../apns/apns.client.js';
import { FcmClient } from '../fcm/fcm.client.js';
import { WebPushClient } from '../webpush/webpush.client.js';
import { PushClients } from './push-clients.js';

@Module({ providers: [PushClients, ApnsClient, FcmClient, WebPushClient], exports: [PushClients] })
export class PushClientsModule {}
