import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { Clock } from '../../common/clock.js';
import { isDeviceId } from '../../common/device-id.js';
import { Bus } from '../../realtime/bus.js';
import { DeviceDirectory } from '../../realtime/device-directory.js';
import { ContactsService } from '../contacts/contacts.service.js';

/** How long what was looked up is trusted: what ends without anybody telling counts within five seconds. */
const TRUST_MS = 4000;
/** When it is looked up again, while it is still trusted: nobody who sends all the time ever waits. */
const REFRESH_MS = 2000;
const REMEMBERED = 50_000;
const TOPIC = 'contacts';

interface Known {
  may: boolean;
  at: number;
}

/** Whether an account may reach a device: its own, or a contact's. */
@Injectable()
export class Reach {
  private readonly known = new LRUCache<string, Known>({ max: REMEMBERED });
  private looking = new Map<string, Promise<boolean>>();

  constructor(
    private readonly devices: DeviceDirectory,
    private readonly contacts: ContactsService,
    private readonly clock: Clock,
    bus: Bus,
  ) {
    contacts.onChange(() => {
      this.forget();
      bus.publish(TOPIC, '');
    });
    bus.subscribe(TOPIC, () => this.forget());
  }

  /** At once where it is known. Answers come in the order of the questions. */
  mayReach(accountId: string, deviceId: string): boolean | Promise<boolean> {
    if (!isDeviceId(deviceId)) return false;
    const key = `${accountId} ${deviceId}`;
    const known = this.known.get(key);
    const age = known ? this.clock.milliseconds() - known.at : TRUST_MS;
    if (!known || age >= TRUST_MS) return this.look(key);
    // Whether that fails is seen by who asks when it is trusted no more.
    if (age >= REFRESH_MS) this.look(key).catch(() => {});
    return known.may;
  }

  private forget(): void {
    this.known.clear();
    this.looking = new Map();
  }

  /** One look-up for all that ask meanwhile. What was begun before something changed is not kept. */
  private look(key: string): Promise<boolean> {
    const { looking } = this;
    const begun = looking.get(key);
    if (begun) return begun;
    const at = this.clock.milliseconds();
    const answer = this.ask(key)
      .then((may) => {
        if (looking === this.looking) this.known.set(key, { may, at });
        return may;
      })
      .finally(() => looking.delete(key));
    looking.set(key, answer);
    return answer;
  }

  private async ask(key: string): Promise<boolean> {
    const [accountId = '', deviceId = ''] = key.split(' ');
    const device = await this.devices.find(deviceId);
    if (!device) return false;
    return device.accountId === accountId || this.contacts.areMutual(accountId, device.accountId);
  }
}
