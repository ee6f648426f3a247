import { Injectable } from '@nestjs/common';
import { ApnsClient } from '../apns/apns.client.js';
import { FcmClient } from '../fcm/fcm.client.js';
import { WebPushClient } from '../webpush/webpush.client.js';
import type { PushClient, PushProvider } from './push-client.js';

/** The client of each provider. */
@Injectable()
export class PushClients {
  private readonly clients: Record<PushProvider, PushClient>;

  constructor(apns: ApnsClient, fcm: FcmClient, webpush: WebPushClient) {
    this.clients = { apns, fcm, webpush };
  }

  of(provider: PushProvider): PushClient {
    return this.clients[provider];
  }
}
