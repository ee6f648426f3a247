import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Clock } from '../../common/clock.js';
import { isDeviceId, wireId } from '../../common/device-id.js';
import { invalidField, Problem } from '../../common/problem.js';
import type { Caller } from '../../http/access.js';
import { Upkeep } from '../../realtime/upkeep.js';
import { SessionService } from '../sessions/session.service.js';
import { DEVICE_KINDS, type DeviceKind, type DeviceRow } from './device.js';
import { DeviceChallengesRepository } from './device-challenges.repository.js';
import { isKey, isProved } from './device-key.js';
import { DevicesRepository } from './devices.repository.js';

/** Of an account. */
const MOST_DEVICES = 100;

export const CHALLENGE_SECONDS = 120;
export const REGISTER_CONTEXT = 'lem-device-register-v1';
const CHALLENGE_BYTES = 32;

/** What a feature does about a device that is revoked: a look at what it has, and, when it has gone, the rest. */
export type RevocationStep = (deviceId: string) => Promise<() => void>;

/** A device that its client names, and its key. */
export interface Registration {
  device_id: string;
  pubkey: string;
  challenge?: string | undefined;
  signature?: string | undefined;
  name?: string | undefined;
  type?: string | undefined;
}

/** The registry of an account's devices. */
@Injectable()
export class DevicesService {
  private readonly revocationSteps: RevocationStep[] = [];

  constructor(
    private readonly devices: DevicesRepository,
    private readonly challenges: DeviceChallengesRepository,
    private readonly sessions: SessionService,
    private readonly upkeep: Upkeep,
    private readonly clock: Clock,
  ) {}

  /** A device under a number that the server gives. @throws Problem unknown_device_type, too_many_devices */
  async create(caller: Caller, name: string, type: string): Promise<DeviceRow> {
    const wanted = { accountId: caller.accountId, name, kind: kindOf(type), now: this.clock.now() };
    return this.stored(caller, await this.devices.create(wanted, MOST_DEVICES));
  }

  /**
   * A device under an id of its client's, or the new key of one. Without a proof the key counts for nothing.
   * @throws Problem validation_failed, not_found for a number that is no device of theirs, invalid_proof, forbidden, unknown_device_type, too_many_devices
   */
  async register(caller: Caller, request: Registration): Promise<DeviceRow> {
    const { device_id: id, pubkey: publicKey, name = null, type } = request;
    requireDeviceId(id);
    // Numbers are the server's to give: there is such a device already, or nobody gets it.
    if (typeof wireId(id) === 'number') await this.own(caller.accountId, id);
    const proved = await this.proves(caller, request);
    const kind = type === undefined ? null : kindOf(type);
    const wanted = { id, accountId: caller.accountId, name, kind, publicKey, proved, now: this.clock.now() };
    return this.stored(caller, await this.devices.register(wanted, MOST_DEVICES));
  }

  /** What a device has to sign before it registers. Base64, good for once and for CHALLENGE_SECONDS. */
  async challenge({ accountId }: Caller, deviceId: string): Promise<string> {
    requireDeviceId(deviceId);
    const challenge = randomBytes(CHALLENGE_BYTES);
    const expiresAt = new Date(this.clock.milliseconds() + CHALLENGE_SECONDS * 1000);
    await this.challenges.put(accountId, deviceId, challenge, expiresAt);
    return challenge.toString('base64');
  }

  /** The devices of one or several accounts, the oldest first. */
  list(...accountIds: string[]): Promise<DeviceRow[]> {
    return this.devices.list(accountIds);
  }

  /** @throws Problem not_found for what is not the account's */
  async own(accountId: string, id: string): Promise<DeviceRow> {
    return required(isDeviceId(id) ? await this.devices.own(accountId, id) : undefined);
  }

  /** @throws Problem not_found */
  async rename({ accountId }: Caller, id: string, name: string): Promise<DeviceRow> {
    return required(isDeviceId(id) ? await this.devices.rename(accountId, id, name) : undefined);
  }

  /** Another feature's part of every revocation. */
  addRevocationStep(step: RevocationStep): void {
    this.revocationSteps.push(step);
  }

  /**
   * Ends a device: its sessions and all that belongs to them, its connections, and last its place in the registry, so that a
   * revocation that was cut off is seen and can be repeated.
   * @returns whether its streams have ended as well. @throws Problem not_found
   */
  async revoke(caller: Caller, id: string): Promise<boolean> {
    await this.own(caller.accountId, id);
    const ended = await this.sessions.endDevice(caller, id);
    const rest = await Promise.all(this.revocationSteps.map((step) => step(id)));
    await this.devices.remove(caller.accountId, id);
    for (const finish of rest) finish();
    await this.upkeep.recheck(caller.accountId);
    return ended;
  }

  /** Forgets challenges that nobody has answered, up to a thousand for each of `most`. */
  async removeExpired(most: number): Promise<void> {
    await this.challenges.removeExpired(this.clock.now(), most * 1000);
  }

  /** A challenge is burnt by the attempt. @throws Problem validation_failed, invalid_proof */
  private async proves({ accountId }: Caller, request: Registration): Promise<boolean> {
    const { device_id: deviceId, pubkey, challenge, signature } = request;
    if (challenge === undefined && signature === undefined) return false;
    const expected = await this.challenges.burn(accountId, deviceId, this.clock.now());
    if (!isKey(pubkey)) throw invalidField('pubkey', 'must be the base64 of 32 bytes (Ed25519)');
    const fresh = expected !== undefined && expected.toString('base64') === challenge;
    const proof = { context: REGISTER_CONTEXT, deviceId, challenge: challenge ?? '', signature: signature ?? '' };
    if (fresh && isProved(pubkey, proof)) return true;
    throw new Problem(
      'invalid_proof',
      `sign ${REGISTER_CONTEXT}:device_id:challenge with the key, and a new challenge`,
    );
  }

  private async stored(
    caller: Caller,
    outcome: DeviceRow | 'full' | 'gone' | 'foreign' | 'unproved',
  ): Promise<DeviceRow> {
    if (typeof outcome === 'string') throw refusalOf(outcome);
    // So that the session ends with the device.
    await this.sessions.nameDevice(caller, outcome.id);
    return outcome;
  }
}

function refusalOf(outcome: 'full' | 'gone' | 'foreign' | 'unproved'): Problem {
  switch (outcome) {
    case 'full':
      return new Problem('too_many_devices', `an account has at most ${MOST_DEVICES} devices`);
    case 'gone':
      return new Problem('unauthenticated', 'the account is being deleted');
    case 'foreign':
      return new Problem('forbidden', 'the id is a device of another account');
    case 'unproved':
      return new Problem('forbidden', 'the device has proved its key: prove the new one');
  }
}

function required(device: DeviceRow | undefined): DeviceRow {
  if (!device) throw new Problem('not_found', 'you have no such device');
  return device;
}

function kindOf(type: string): DeviceKind {
  const kind = DEVICE_KINDS.find((known) => known === type);
  if (!kind) throw new Problem('unknown_device_type', `type must be one of ${DEVICE_KINDS.join(', ')}`);
  return kind;
}

function requireDeviceId(id: string): void {
  if (!isDeviceId(id)) throw invalidField('device_id', 'must be 1 to 128 letters a-z, digits or . _ : -');
}
