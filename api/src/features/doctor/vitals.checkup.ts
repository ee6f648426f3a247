import { Inject, Injectable } from '@nestjs/common';
import { trustedAuthorities } from '../../clients/probes/authorities.js';
import { ProbeError } from '../../clients/probes/probe-error.js';
import { Clock } from '../../common/clock.js';
import { CONFIG, type Config } from '../../config/config.js';
import { ServerInfoService } from '../server-info/server-info.service.js';
import { judgeEnd, type Sighting } from './certificate.rules.js';
import { deploymentOf, localUrl } from './deployment.js';
import { type Finding, info, ok, type Verdict, worstOf } from './finding.js';
import { look } from './look.js';
import { MachineCheckup } from './machine.checkup.js';
import { examineProtocol } from './outside.js';
import { protocolChecks } from './protocol-checks.js';
import { ServersCheckup } from './servers.checkup.js';
import { asking } from './web-checks.js';

/** How one thing is that may break while nobody touches anything. */
export interface Vital extends Verdict {
  /** A server, `certificates` or `disk`. */
  subject: string;
}

/** Looks at the servers from both sides, at the certificates and the disk: a few seconds, and no account is needed. */
@Injectable()
export class VitalsCheckup {
  private readonly authorities = trustedAuthorities();

  constructor(
    private readonly servers: ServersCheckup,
    private readonly machine: MachineCheckup,
    private readonly serverInfo: ServerInfoService,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  async examine(stop: AbortSignal): Promise<Vital[]> {
    const [inside, outside, api, disk] = await Promise.all([
      this.servers.examineHealth(),
      this.examinePorts(stop),
      this.examineApi(stop),
      this.machine.checkDisk().catch(() => info('the state directory can not be looked at')),
    ]);
    const found = [...inside.map(ofServer), ...outside.found, { subject: 'api', finding: api }];
    const subjects = [...new Set(found.map(({ subject }) => subject))];
    const servers = subjects.map((subject) =>
      sum(
        subject,
        found.filter((one) => one.subject === subject),
      ),
    );
    return [...servers, this.judgeCertificates(outside.sightings), { subject: 'disk', ...disk }];
  }

  private get apiUrl(): string {
    const { addresses, ports, monitor } = this.config;
    return monitor.apiUrl || localUrl(addresses.bind, ports.api);
  }

  /** Every port that clients use, each in its protocol. */
  private async examinePorts(stop: AbortSignal): Promise<{ found: Found[]; sightings: Sighting[] }> {
    const deployment = deploymentOf(this.apiUrl, this.serverInfo.info, this.config.ports);
    const checks = protocolChecks(deployment, { host: deployment.sip.host, port: this.config.ports.sip });
    const outlook = { authorities: this.authorities, stop };
    const seen = await Promise.all(checks.map((check) => examineProtocol(check, outlook)));
    return {
      found: seen.map(({ finding }, index) => ({ subject: checks[index]!.server, finding })),
      sightings: seen.flatMap(({ sighting }) => sighting ?? []),
    };
  }

  private examineApi(stop: AbortSignal): Promise<Finding> {
    const ask = asking(this.apiUrl, { authorities: this.authorities, verify: false });
    const subject = { id: 'api', probed: `REST API at ${this.apiUrl}`, effect: 'apps can neither register nor log in' };
    return look(
      { ...subject, remedy: () => 'log/api.log of the state directory says more' },
      stop,
      async (deadline) => {
        const { status } = await ask('/health', deadline);
        if (status !== 200) throw new ProbeError('unexpected', `/health answers ${status}`);
        return ok('answers');
      },
    );
  }

  /** By their end alone: who signed them is judged by the doctor, once. */
  private judgeCertificates(sightings: readonly Sighting[]): Vital {
    const now = this.clock.now();
    const found = sightings.map(({ id, place, certificate }) => {
      const finding = { id, probed: `Certificate for ${certificate.name} at ${place}`, ...judgeEnd(certificate, now) };
      return { subject: 'certificates', finding };
    });
    return sum('certificates', found);
  }
}

interface Found {
  subject: string;
  finding: Finding;
}

const ofServer = (finding: Finding): Found => ({ subject: finding.id.replace(/^server\./, ''), finding });

/** As bad as the worst of it, and in the words of whatever is not well. */
function sum(subject: string, found: readonly Found[]): Vital {
  const findings = found.map(({ finding }) => finding);
  const severity = worstOf(findings);
  const wrong = findings.filter((finding) => finding.severity === 'warning' || finding.severity === 'fault');
  const detail = wrong.map(({ probed, detail }) => `${probed}: ${detail}`).join('\n') || 'answers';
  const remedies = [...new Set(wrong.flatMap(({ remedy }) => remedy ?? []))];
  return { subject, severity, detail, ...(remedies.length > 0 ? { remedy: remedies.join('\n') } : {}) };
}
