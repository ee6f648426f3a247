import { Injectable } from '@nestjs/common';
import { readDeviceId } from '../../common/device-id.js';
import { Problem } from '../../common/problem.js';
import type { Caller } from '../../http/access.js';
import { DeviceDirectory } from '../../realtime/device-directory.js';
import { DevicesService } from '../devices/devices.service.js';
import { PairedDevices } from '../pairing/paired-devices.js';
import type { CallRequest, CommandAnswer, SendSmsRequest } from './relay.dto.js';
import { RelayCommands } from './relay-commands.js';

/** Commands of clients that have no socket open. The answers come over the sockets all the same. */
@Injectable()
export class RelayService {
  constructor(
    private readonly commands: RelayCommands,
    private readonly paired: PairedDevices,
    private readonly directory: DeviceDirectory,
    private readonly devices: DevicesService,
  ) {}

  /** @throws Problem no_client_device, forbidden when no client of the caller is paired with the host, queue_full */
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
    { accountId }: Caller,
    host: unknown,
    fields: { cmd: string },
    req_id?: string,
  ): Promise<CommandAnswer> {
    const { from, to } = await this.pair(accountId, host);
    const command = { accountId, from, to, kind: fields.cmd, reqId: req_id ?? null };
    const { status, reqId } = await this.commands.send({ ...command, fields: { type: 'command', ...fields } });
    if (status === 'full') throw new Problem('queue_full', 'too many commands wait for the host');
    return { status, req_id: reqId };
  }

  /** The client that has been paired with the host for longest speaks for the caller. */
  private async pair(accountId: string, host: unknown): Promise<{ from: string; to: string }> {
    const to = readDeviceId(host);
    const device = to === undefined ? undefined : await this.directory.find(to);
    if (to !== undefined && device?.accountId === accountId && device.kind === 'host') {
      const [from] = await this.paired.of(to);
      if (from !== undefined) return { from, to };
    }
    const own = await this.devices.list(accountId);
    if (own.some(({ kind }) => kind === 'client')) throw new Problem('forbidden', 'Devices are not paired');
    throw new Problem('no_client_device', 'No client device registered');
  }
}
