import { Possible } from './possible.js';
import { type Credentials, type Promises, setTo } from './promises.js';
import type { PushToken } from './world.js';

const DEVICE = 'phone';

/** Registrations for push: one device for each account. */
export class Devices {
  constructor(private readonly promises: Promises) {}

  /** With a new token each time. */
  async register(owner: Credentials, token: string): Promise<void> {
    const { jid } = owner;
    const wanted = this.promises.newName(owner, 'push');
    const body = { jid, device_id: DEVICE, platform: 'android', push_token: wanted, app_id: 'com.example.veil' };
    const outcome = await this.promises.rest.ask('register a device', 'post', '/push/register', token, body);
    this.promises.conclude(`registering the device of ${jid}`, outcome, this.of(owner), setTo<PushToken>(wanted));
  }

  async forget(owner: Credentials, token: string): Promise<void> {
    const { jid } = owner;
    const body = { jid, device_id: DEVICE };
    const outcome = await this.promises.rest.ask('forget a device', 'delete', '/push/register', token, body);
    this.promises.conclude(`forgetting the device of ${jid}`, outcome, this.of(owner), {
      possible: (state) => state !== null,
      result: () => null,
      refusal: 'not_found',
    });
  }

  of({ jid }: Credentials): Possible<PushToken> {
    const key = `${jid} ${DEVICE}`;
    const known = this.promises.world.pushTokens.get(key) ?? new Possible<PushToken>([null]);
    this.promises.world.pushTokens.set(key, known);
    return known;
  }
}
