import { Injectable } from '@nestjs/common';
import { isDeviceId } from '../common/device-id.js';
import { Problem } from '../common/problem.js';
import { Authenticator } from '../http/access.js';
import { DeviceDirectory } from './device-directory.js';
import type { Admitted } from './device-socket.js';
import type { Asked } from './paths.js';
import type { Frame, Way } from './protocol.js';

const MOST_TOKEN_LENGTH = 4096;

/** Decides who is let in: whose token it is, and whether the device is theirs. */
@Injectable()
export class Admission {
  constructor(
    private readonly authenticator: Authenticator,
    private readonly devices: DeviceDirectory,
  ) {}

  /** @throws Problem unauthenticated, not_found for a device that there is none of, forbidden for another's */
  async admit({ protocol, path, deviceId }: Asked, token: string, way: Way): Promise<Admitted> {
    const caller = await this.authenticator.authenticate(token);
    const device = deviceId === undefined || !isDeviceId(deviceId) ? undefined : await this.devices.find(deviceId);
    if (!device) throw new Problem('not_found', 'there is no such device: register it first');
    if (device.accountId !== caller.accountId) throw new Problem('forbidden', "the device is another account's");
    protocol.admit(device, path);
    return { device, caller, path, way };
  }

  /** As `admit`, for a first frame `{"type":"auth","token","device_id"}`. */
  async admitByFrame(asked: Asked, { type, token, device_id: deviceId }: Frame): Promise<Admitted> {
    if (type !== 'auth' || typeof token !== 'string' || token.length > MOST_TOKEN_LENGTH) {
      throw new Problem('unauthenticated', 'the first frame must be {"type":"auth","token":…,"device_id":…}');
    }
    const named = typeof deviceId === 'string' || typeof deviceId === 'number' ? String(deviceId) : undefined;
    return this.admit({ ...asked, deviceId: asked.deviceId ?? named }, token, 'frame');
  }
}
