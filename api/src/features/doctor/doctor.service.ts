import type { SecureContext } from 'node:tls';
import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../../common/clock.js';
import { CONFIG, type Config } from '../../config/config.js';
import { ServerInfoService } from '../server-info/server-info.service.js';
import { adminPorts, examineAdminPorts, exposedAddresses } from './admin-ports.js';
import { deploymentOf, localUrl } from './deployment.js';
import type { Finding } from './finding.js';
import { MachineCheckup } from './machine.checkup.js';
import { addressesIn, type Names } from './names.js';
import { examineOutside, type Outlook } from './outside.js';
import { ApiClient } from './round-trip/lodging.js';
import { makeRoundTrip } from './round-trip/round-trip.js';
import { ServerLodging } from './server-lodging.js';
import { ServersCheckup } from './servers.checkup.js';

/** Examines the deployment whose settings these are, on the server itself: from outside and from inside. */
@Injectable()
export class DoctorService {
  constructor(
    private readonly machine: MachineCheckup,
    private readonly servers: ServersCheckup,
    private readonly lodging: ServerLodging,
    private readonly serverInfo: ServerInfoService,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  async examine(authorities: SecureContext, clock: Clock, stop: AbortSignal): Promise<Finding[]> {
    const { addresses, ports } = this.config;
    const settings = { info: this.serverInfo.info, ports, serverAddress: addresses.server };
    const outlook = { apiUrl: localUrl(addresses.bind, ports.api), authorities, clock, stop, settings };
    const [outside, machine, servers, forgotten, journey] = await Promise.all([
      this.examineOutside(outlook),
      this.machine.examine(stop),
      this.servers.examine(),
      this.lodging.examineForgotten(),
      this.makeRoundTrip(outlook),
    ]);
    return [...servers, ...machine, ...outside, ...forgotten, ...journey];
  }

  private async examineOutside(outlook: Outlook): Promise<Finding[]> {
    const { findings, names } = await examineOutside(outlook);
    const admin = await examineAdminPorts(adminPorts(this.config.ports), this.exposed(names), true, outlook.stop);
    return [...findings, ...admin];
  }

  private exposed(names: Names): string[] {
    const { internalBind, server } = this.config.addresses;
    const found = [...names.keys()].flatMap((host) => addressesIn(names, host));
    return exposedAddresses([server, ...found], [internalBind]);
  }

  private makeRoundTrip({ apiUrl, authorities, stop }: Outlook): Promise<Finding[]> {
    const api = new ApiClient(apiUrl, authorities);
    const deployment = deploymentOf(apiUrl, this.serverInfo.info, this.config.ports);
    const mediaAddress = this.config.addresses.media;
    return makeRoundTrip({ deployment, api, lodging: this.lodging.beside(api), mediaAddress, authorities, stop });
  }
}
