import { Injectable } from '@nestjs/common';
import { readDeviceId } from '../../common/device-id.js';
import { Problem } from '../../common/problem.js';
import type { Caller } from '../../http/access.js';
import { DeviceDirectory } from '../../realtime/device-directory.js';
import type { DeviceKind } from '../devices/device.js';
import { DevicesService } from '../devices/devices.service.js';
import { PairedDevices } from '../pairing/paired-devices.js';
import type { CallRequest, CommandAnswer, SendSmsRequest } from './relay.dto.js';
import { RelayCommands } from './relay-commands.js';
import { EXPIRED } from './relay-frame.js';

/** Commands of clients that have no socket open. The answers come over the sockets all the same. */
@Injectable()
export class RelayService {
  constructor(
    private readonly commands: RelayCommands,
    private readonly paired: PairedDevices,
    private readonly directory: DeviceDirectory,
    private readonly devices: DevicesService,
  ) {}

  /** @throws Problem no_client_device, forbidden when the client whose session it is, or else every client of the caller, is not paired with the host, queue_full, command_expired */
  sendSms(caller: Caller, { to_device_id: host, req_id, ...sms }: SendSmsRequest): Promise<CommandAnswer> {
    return this.command(caller, host, { cmd: 'SEND_SMS', ...sms }, req_id);
  }

  /** @throws Problem as sendSms */
  call(caller: Caller, { to_device_id: host, req_id, ...call }: CallRequest): Promise<CommandAnswer> {
    return this.command(caller, host, { cmd: 'MAKE_CALL', ...call }, req_id);
  }

  /** @throws Problem as sendSms */
  getSims(caller: Caller, host: unknown): Promise<CommandAnswer> {
    return this.command(caller, host, { cmd: 'GET_SIMS' });
  }

  private async command(
    caller: Caller,
    host: unknown,
    fields: { cmd: string },
    req_id?: string,
  ): Promise<CommandAnswer> {
    const { accountId } = caller;
    const { from, to } = await this.pair(caller, host);
    const command = { accountId, from, to, kind: fields.cmd, reqId: req_id ?? null };
    const { status, reqId } = await this.commands.send({ ...command, fields: { type: 'command', ...fields } });
    if (status === 'full') throw new Problem('queue_full', 'too many commands wait for the host');
    if (status === 'expired') throw new Problem('command_expired', EXPIRED);
    return { status, req_id: reqId };
  }

  /** A session of a client speaks for that one; any other for the client that has been paired with the host for longest. */
  private async pair({ accountId, deviceId }: Caller, host: unknown): Promise<{ from: string; to: string }> {
    const to = readDeviceId(host);
    if (to !== undefined && (await this.isOwn(accountId, to, 'host'))) {
      const clients = await this.paired.of(to);
      if (clients.includes(deviceId)) return { from: deviceId, to };
      const [from] = (await this.isOwn(accountId, deviceId, 'client')) ? [] : clients;
      if (from !== undefined) return { from, to };
    }
    const own = await this.devices.list(accountId);
    if (own.some(({ kind }) => kind === 'client')) throw new Problem('forbidden', 'Devices are not paired');
    throw new Problem('no_client_device', 'No client device registered');
  }

  private async isOwn(accountId: string, deviceId: string, kind: DeviceKind): Promise<boolean> {
    const device = await this.directory.find(deviceId);
    return device?.accountId === accountId && device.kind === kind;
  }
}
