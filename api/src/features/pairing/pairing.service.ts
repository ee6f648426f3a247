import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../../common/clock.js';
import { readDeviceId, wireId } from '../../common/device-id.js';
import { Problem } from '../../common/problem.js';
import { CONFIG, type Config } from '../../config/config.js';
import type { Caller } from '../../http/access.js';
import { RateLimiter } from '../../http/rate-limiter.js';
import { DeviceDirectory } from '../../realtime/device-directory.js';
import { PairedDevices } from './paired-devices.js';
import type { ConfirmPairingAnswer, ConfirmPairingRequest, PairingCodeAnswer, PairingDocument } from './pairing.dto.js';
import { type Pairing, PairingRepository } from './pairing.repository.js';
import { CODE_SECONDS, PairingCodes } from './pairing-code.js';

/** Of so many hosts of an account that two should get the same code is next to impossible. */
const MOST_ATTEMPTS = 5;
const MOST_NUMBER = 2 ** 31 - 1;

type Kind = 'host' | 'client';

/** Pairs a client with a host of the same account, by a code that the one shows and the other is told. */
@Injectable()
export class PairingService {
  private readonly codes: PairingCodes;

  constructor(
    private readonly pairings: PairingRepository,
    private readonly paired: PairedDevices,
    private readonly devices: DeviceDirectory,
    private readonly limiter: RateLimiter,
    private readonly clock: Clock,
    @Inject(CONFIG) { identity }: Config,
  ) {
    const [secret] = identity.secrets;
    if (!secret) throw new Error('pairing codes need a secret');
    this.codes = new PairingCodes(secret);
  }

  /** A code for a host in the place of an older one. @throws Problem not_found when it is no host of the caller */
  async issue({ accountId }: Caller, hostDeviceId: unknown): Promise<PairingCodeAnswer> {
    const host = await this.own(accountId, 'host', hostDeviceId);
    const expiresAt = new Date(this.clock.milliseconds() + CODE_SECONDS * 1000);
    for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt += 1) {
      const code = this.codes.make();
      const hash = this.codes.hash(accountId, code);
      const outcome = hash && (await this.pairings.keepCode({ accountId, hostDeviceId: host, hash, expiresAt }));
      if (outcome === 'kept') return { code, expires_in_seconds: CODE_SECONDS };
      if (outcome === 'gone') throw noDevice('host');
    }
    throw new Error('every code that was made is taken');
  }

  /**
   * Pairs the host whose code it is. The answer is the same for a code that is wrong, another account's, used or expired.
   * @throws Problem not_found when it is no client of the caller, invalid_code, rate_limited
   */
  async confirm(caller: Caller, request: ConfirmPairingRequest, address: string): Promise<ConfirmPairingAnswer> {
    const { accountId } = caller;
    this.count(accountId, readDeviceId(request.client_device_id) ?? '', address);
    const clientDeviceId = await this.own(accountId, 'client', request.client_device_id);
    const hash = this.codes.hash(accountId, request.code);
    const pairing = await this.pairings.confirm({ accountId, clientDeviceId, hash, now: this.clock.now() });
    if (pairing === 'gone') throw noDevice('client');
    if (pairing === 'wrong') throw new Problem('invalid_code', 'Invalid or expired pairing code');
    this.paired.changed([pairing.hostDeviceId, clientDeviceId]);
    return {
      status: pairing.isNew ? 'paired' : 'already_paired',
      pairing_id: pairing.id,
      host_device_id: wireId(pairing.hostDeviceId),
    };
  }

  async list({ accountId }: Caller): Promise<PairingDocument[]> {
    return (await this.pairings.list(accountId)).map(documentOf);
  }

  /** From now on neither reaches the other. @throws Problem not_found */
  async remove({ accountId }: Caller, id: string): Promise<void> {
    const number = /^\d{1,10}$/.test(id) ? Number(id) : 0;
    const removed = number <= MOST_NUMBER ? await this.pairings.remove(accountId, number) : undefined;
    if (!removed) throw new Problem('not_found', 'you have no such pairing');
    this.paired.changed([removed.hostDeviceId, removed.clientDeviceId]);
  }

  async removeExpired(most: number): Promise<void> {
    await this.pairings.removeExpired(this.clock.now(), most * 100);
  }

  /** Six digits are soon guessed by whoever may try often, from wherever and as whomever. */
  private count(account: string, device: string, address: string): void {
    this.limiter.take('pairing_of_device', { device: `${account} ${device}` });
    this.limiter.take('pairing_of_account', { account });
    this.limiter.take('pairing_of_address', { address });
    this.limiter.take('pairing', { server: '' });
  }

  private async own(accountId: string, kind: Kind, value: unknown): Promise<string> {
    const id = readDeviceId(value);
    const device = id === undefined ? undefined : await this.devices.find(id);
    if (device?.accountId === accountId && device.kind === kind) return device.id;
    throw noDevice(kind);
  }
}

const noDevice = (kind: Kind): Problem =>
  new Problem('not_found', `${kind === 'host' ? 'Host' : 'Client'} device not found`);

const documentOf = ({ id, hostDeviceId, clientDeviceId, createdAt }: Pairing): PairingDocument => ({
  id,
  host_device_id: wireId(hostDeviceId),
  client_device_id: wireId(clientDeviceId),
  created_at: createdAt.toISOString(),
});
