import { Injectable } from '@nestjs/common';
import { Clock } from '../../common/clock.js';
import { Problem } from '../../common/problem.js';
import type { Caller } from '../../http/access.js';
import { SessionService } from '../sessions/session.service.js';
import { type Ends, SessionEnding } from '../sessions/session-ending.js';
import type { RegisterPushRequest } from './push.dto.js';
import { type PushDevice, PushRepository } from './push.repository.js';
import { targetOf } from './push-registration.js';

/** Of an account: each call is told to all of them. */
const MOST_DEVICES = 50;

/** The registry of devices that can be woken. */
@Injectable()
export class PushService {
  constructor(
    private readonly registrations: PushRepository,
    private readonly sessions: SessionService,
    private readonly clock: Clock,
    ending: SessionEnding,
  ) {
    ending.addStep(({ id }, ends) => this.forgetDevices(id, ends));
  }

  /** @throws Problem forbidden for another's JID, validation_failed, too_many_devices */
  async register(caller: Caller, request: RegisterPushRequest): Promise<void> {
    requireOwn(caller, request.jid);
    const outcome = await this.store(caller, targetOf(request));
    if (outcome === 'gone') throw new Problem('unauthenticated', 'the account is being deleted');
    // So that the device is woken no more once its session has ended.
    await this.sessions.nameDevice(caller, request.device_id);
  }

  /**
   * Stores a device of an account, or replaces it.
   * @param alertToken what becomes of the one that the device has registered before, if it has none now
   * @returns `gone` when the account is not active any more
   * @throws Problem too_many_devices
   */
  async store(
    { accountId, jid }: Pick<Caller, 'accountId' | 'jid'>,
    device: PushDevice,
    alertToken?: 'keep alert token',
  ): Promise<'stored' | 'gone'> {
    const registration = { ...device, jid, accountId };
    const outcome = await this.registrations.upsert(registration, MOST_DEVICES, this.clock.now(), alertToken);
    if (outcome === 'full') throw new Problem('too_many_devices', `an account has at most ${MOST_DEVICES} devices`);
    return outcome;
  }

  /** @throws Problem forbidden for another's JID, not_found for a device that is not registered */
  async deregister(caller: Caller, jid: string, deviceId: string): Promise<void> {
    requireOwn(caller, jid);
    if (await this.registrations.remove(caller.accountId, deviceId)) return;
    throw new Problem('not_found', 'the device is not registered');
  }

  /** The devices whose sessions have ended are woken no more. */
  private async forgetDevices(accountId: string, ends: Ends): Promise<void> {
    for (const deviceId of await this.registrations.devicesOf(accountId)) {
      if (ends(deviceId)) await this.registrations.remove(accountId, deviceId);
    }
  }
}

function requireOwn(caller: Caller, jid: string): void {
  if (jid.toLowerCase() !== caller.jid) throw new Problem('forbidden', 'jid must be your own');
}
