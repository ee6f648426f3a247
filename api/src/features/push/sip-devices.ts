import { Inject, Injectable } from '@nestjs/common';
import { jidOf } from '../../common/jid.js';
import { CONFIG, type Config } from '../../config/config.js';
import type { SipDeviceAnswer, SipDeviceRequest } from './push.dto.js';
import { PushRepository } from './push.repository.js';
import { PushService } from './push.service.js';
import { targetOf } from './push-registration.js';
import { fieldsOf } from './sip-contact.js';

/** Devices that register for push with their SIP contact. They have no session: one that has their name ends them as well. */
@Injectable()
export class SipDevices {
  private readonly domain: string;

  constructor(
    private readonly push: PushService,
    private readonly registrations: PushRepository,
    @Inject(CONFIG) { addresses }: Config,
  ) {
    this.domain = addresses.xmppDomain;
  }

  /**
   * Registers or forgets a device of an account that the SIP server has authenticated; repetition changes nothing.
   * @throws Problem validation_failed, too_many_devices
   */
  async take(request: SipDeviceRequest): Promise<SipDeviceAnswer> {
    const device = targetOf(fieldsOf(request));
    const username = request.username.toLowerCase();
    const accountId = await this.registrations.accountNamed(username, this.domain);
    if (accountId === undefined) return { status: 'ignored' };
    if (request.action === 'register') {
      const account = { accountId, jid: jidOf(username, this.domain) };
      const outcome = await this.push.store(account, device, 'keep alert token');
      return { status: outcome === 'stored' ? 'registered' : 'ignored' };
    }
    await this.registrations.remove(accountId, device.deviceId);
    return { status: 'deregistered' };
  }
}
