import { Inject, Injectable } from '@nestjs/common';
import { Ejabberd } from '../../clients/ejabberd/ejabberd.client.js';
import { Kamailio } from '../../clients/kamailio/kamailio.client.js';
import { installedVersion } from '../../clients/probes/installed-version.js';
import { CONFIG, type Config } from '../../config/config.js';
import type { Neighbour } from '../health/health.dto.js';
import { HealthService } from '../health/health.service.js';
import { type Finding, fault, ok } from './finding.js';
import { judgeVersion } from './machine.rules.js';
import { isPublicAddress } from './names.rules.js';

const VERSION_MS = 3000;

const startedBy = (server: string): string =>
  `run scripts/up.sh, which starts what is not running; log/${server}.log of the state directory says more`;

/** Those that a process of the command line can ask too: it keeps no connection for pushes. */
const SILENCES: Record<Exclude<Neighbour, 'chat_push'>, [effect: string, remedy: string]> = {
  postgresql: ['nobody can log in, and no call is routed', startedBy('postgres')],
  ejabberd: ['nobody can chat, register or log in', startedBy('ejabberd')],
  kamailio: ['nobody can call', startedBy('kamailio')],
  rtpengine: ['every call fails: it needs the media relay', startedBy('rtpengine')],
  coturn: ['calls from behind strict firewalls have no sound', startedBy('coturn')],
  valkey: [
    'a device that is connected to one API process is away for the others',
    'start the server that REDIS_URL names, or correct the address or its password',
  ],
};

/** The servers, asked by the ways that only the API has. */
@Injectable()
export class ServersCheckup {
  constructor(
    private readonly health: HealthService,
    private readonly ejabberd: Ejabberd,
    private readonly kamailio: Kamailio,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  async examine(): Promise<Finding[]> {
    const groups = await Promise.all([this.examineHealth(), this.examineVersions()]);
    return groups.flat();
  }

  async examineHealth(): Promise<Finding[]> {
    const { neighbours } = await this.health.readiness();
    return (Object.keys(SILENCES) as (keyof typeof SILENCES)[]).flatMap((name) => {
      const neighbour = neighbours[name];
      if (!neighbour) return [];
      const subject = { id: `server.${name}`, probed: `Inner side of ${name}` };
      if (neighbour.state === 'up') return { ...subject, ...ok(`answers in ${Math.round(neighbour.ms)} ms`) };
      const [effect, remedy] = SILENCES[name];
      return { ...subject, ...fault(`does not answer: ${effect}`, remedy) };
    });
  }

  private async examineVersions(): Promise<Finding[]> {
    const deadline = AbortSignal.timeout(VERSION_MS);
    const unknown = (): undefined => undefined;
    const versions: [server: string, version: Promise<string | undefined>][] = [
      ['ejabberd', this.ejabberd.version().catch(unknown)],
      ['kamailio', this.kamailio.version().catch(unknown)],
      ['coturn', installedVersion('turnserver', deadline)],
      ['rtpengine', installedVersion('rtpengine', deadline)],
    ];
    const isPublic = isPublicAddress(this.config.addresses.server);
    const finding = async ([server, version]: (typeof versions)[number]): Promise<Finding> => ({
      ...{ id: `version.${server}`, probed: `Version of ${server}` },
      ...judgeVersion(server, await version, isPublic),
    });
    return Promise.all(versions.map(finding));
  }
}
