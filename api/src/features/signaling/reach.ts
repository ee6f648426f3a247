import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { isDeviceId } from '../../common/device-id.js';
import { Bus } from '../../realtime/bus.js';
import { DeviceDirectory } from '../../realtime/device-directory.js';
import { ContactsService } from '../contacts/contacts.service.js';

/** How long what was looked up is trusted: what ends without anybody telling counts within five seconds. */
const TRUST_MS = 3000;
const REMEMBERED = 50_000;
const TOPIC = 'contacts';

/** Whether an account may reach a device: its own, or a contact's. */
@Injectable()
export class Reach {
  private readonly known: LRUCache<string, boolean>;

  constructor(
    private readonly devices: DeviceDirectory,
    private readonly contacts: ContactsService,
    bus: Bus,
  ) {
    this.known = new LRUCache({
      max: REMEMBERED,
      ttl: TRUST_MS,
      fetchMethod: (key) => this.look(key),
    });
    contacts.onChange(() => {
      this.known.clear();
      bus.publish(TOPIC, '');
    });
    bus.subscribe(TOPIC, () => this.known.clear());
  }

  /** At once where it is known. Answers come in the order of the questions. */
  mayReach(accountId: string, deviceId: string): boolean | Promise<boolean> {
    if (!isDeviceId(deviceId)) return false;
    const key = `${accountId} ${deviceId}`;
    return this.known.get(key) ?? this.known.fetch(key).then((may) => may ?? false);
  }

  private async look(key: string): Promise<boolean> {
    const [accountId = '', deviceId = ''] = key.split(' ');
    const device = await this.devices.find(deviceId);
    if (!device) return false;
    return device.accountId === accountId || this.contacts.areMutual(accountId, device.accountId);
  }
}
