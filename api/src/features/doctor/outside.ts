import type { SecureContext } from 'node:tls';
import { isDeepStrictEqual } from 'node:util';
import type { Certificate } from '../../clients/probes/certificate.js';
import type { HttpAnswer } from '../../clients/probes/http.probe.js';
import { ProbeError } from '../../clients/probes/probe-error.js';
import type { Deadline, Trust } from '../../clients/probes/sockets.js';
import type { Clock } from '../../common/clock.js';
import type { ServerInfo } from '../server-info/server-info.dto.js';
import { certificateFindings, type Sighting } from './certificate.rules.js';
import {
  type Deployment,
  deploymentOf,
  hostOf,
  hostsOf,
  type KnownPorts,
  portOf,
  readServerInfo,
} from './deployment.js';
import { type Finding, info, ok, type Verdict, warning } from './finding.js';
import { look } from './look.js';
import { judgeClock } from './machine.rules.js';
import { addressesIn, examineNames, examineServiceNames, findSip, type Names, resolve } from './names.js';
import { type ProtocolCheck, protocolChecks } from './protocol-checks.js';
import { remedyFor } from './remedies.js';
import { asking, checkHostMeta, checkOpenApi, checkReadiness, judgeApiUrl } from './web-checks.js';

/** What the outside of a deployment is examined with. */
export interface Outlook {
  /** Without a path. */
  apiUrl: string;
  /** Whom TLS clients trust. */
  authorities: SecureContext;
  clock: Clock;
  /** Ends everything at once. */
  stop: AbortSignal;
  /** What the settings say, for who can read them. */
  settings?: Settings;
}

export interface Settings {
  info: ServerInfo;
  ports: KnownPorts;
  serverAddress: string;
}

/** What was found, and what else needs to be known to go on. */
export interface OutsideView {
  findings: Finding[];
  /** Undefined when nobody says where the servers are. */
  deployment: Deployment | undefined;
  names: Names;
  /** Who may register: `open`, `invite` or `closed`. */
  registration: string;
}

/** Looks at a deployment as its clients do, beginning with what they read first. */
export async function examineOutside(outlook: Outlook): Promise<OutsideView> {
  const { apiUrl, settings } = outlook;
  const first = await readInfo(outlook);
  const told = first.info ?? settings?.info;
  if (!told) return { findings: first.findings, deployment: undefined, names: new Map(), registration: 'closed' };
  // Where the two differ, the settings are what is meant: that they differ is a finding of its own.
  const deployment = deploymentOf(apiUrl, settings?.info ?? told, settings?.ports);
  const [names, sip] = await Promise.all([resolve(hostsOf(deployment), outlook.stop), findSip(deployment)]);
  const checks = protocolChecks(deployment, sip);
  const groups = await Promise.all([
    examineNames(names, checks, deployment, settings?.serverAddress, outlook.stop),
    examineServiceNames(deployment),
    examineProtocols(checks, names, outlook),
    first.info ? examineWeb(deployment, outlook) : [],
    examineHostMeta(deployment, names, outlook),
  ]);
  return { findings: [...first.findings, ...groups.flat()], deployment, names, registration: registrationOf(told) };
}

/** Older servers do not say: theirs is open. */
const registrationOf = (told: object): string => ('registration' in told ? String(told.registration) : 'open');

/** The API's first answer, and what its Date says of its clock. */
async function readInfo(outlook: Outlook): Promise<{ findings: Finding[]; info: ServerInfo | undefined }> {
  const { apiUrl, clock, settings, stop } = outlook;
  const seen: { answer?: HttpAnswer; info?: ServerInfo; offsetMs?: number } = {};
  const finding = await look(apiSubject(apiUrl), stop, async (deadline) => {
    const began = clock.milliseconds();
    const answer = await asking(apiUrl, trusting(outlook))('/api/v1/server/info', deadline);
    if (answer.status !== 200) throw new ProbeError('unexpected', `/api/v1/server/info answers ${answer.status}`);
    seen.info = readServerInfo(answer.body);
    if (answer.date) seen.offsetMs = offsetOf(answer.date, began, clock.milliseconds());
    return judgeAnswer(seen.info, settings?.info) ?? judgeApiUrl(apiUrl, await apiAddresses(apiUrl, stop));
  });
  const clockFinding = seen.offsetMs === undefined ? [] : [{ ...CLOCK, ...judgeClock(seen.offsetMs) }];
  return { findings: [finding, ...clockFinding], info: seen.info };
}

const CLOCK = { id: 'clock.api', probed: 'Clock of the API' };

const apiSubject = (apiUrl: string) => ({
  id: 'api',
  probed: `REST API at ${apiUrl}`,
  effect: 'apps can neither register nor log in, and do not find the other servers',
  remedy: (error: ProbeError) =>
    remedyFor(error, { server: 'api', port: portOf(apiUrl), transport: 'tcp', setting: 'API_PORT' }),
});

/** The header is cut to the second: the middle of it is the best guess. Half the way there and back is the way there. */
const offsetOf = (date: Date, began: number, ended: number): number => date.getTime() + 500 - (began + ended) / 2;

function judgeAnswer(told: ServerInfo, meant: ServerInfo | undefined): Verdict | undefined {
  const different =
    meant && Object.entries(meant).filter(([name, value]) => !isDeepStrictEqual(told[name as keyof ServerInfo], value));
  if (!different?.length) return undefined;
  const fields = different.map(([name]) => name).join(', ');
  return warning(
    `it tells clients another ${fields} than the settings say`,
    'run scripts/up.sh, which restarts what changed',
  );
}

const apiAddresses = async (apiUrl: string, stop: AbortSignal): Promise<readonly string[]> =>
  addressesIn(await resolve([hostOf(apiUrl)], stop), hostOf(apiUrl));

/** To look at what TLS shows, without sending anything that is secret. */
const trusting = ({ authorities }: Pick<Outlook, 'authorities'>): Trust => ({ authorities, verify: false });

async function examineProtocols(checks: readonly ProtocolCheck[], names: Names, outlook: Outlook): Promise<Finding[]> {
  const reachable = checks.filter(({ host }) => typeof names.get(host) !== 'string');
  const seen = await Promise.all(reachable.map((check) => examineProtocol(check, outlook)));
  const sightings = seen.flatMap(({ sighting }) => sighting ?? []);
  return [...seen.map(({ finding }) => finding), ...certificateFindings(sightings, outlook.clock.now())];
}

export async function examineProtocol(
  check: ProtocolCheck,
  outlook: Pick<Outlook, 'authorities' | 'stop'>,
): Promise<{ finding: Finding; sighting?: Sighting }> {
  const { id, protocol, host, port, effect, optional } = check;
  const probed = `${protocol} at ${host}:${port}`;
  const seen: { certificate?: Certificate | undefined } = {};
  const subject = { id, probed, effect, remedy: (error: ProbeError) => remedyFor(error, check) };
  const finding = await look(subject, outlook.stop, async (deadline) => {
    seen.certificate = (await check.probe(trusting(outlook), deadline)).certificate;
    return ok('answers');
  });
  if (seen.certificate)
    return { finding, sighting: { id, place: `${port} (${protocol})`, certificate: seen.certificate } };
  if (!optional || finding.severity === 'ok') return { finding };
  return { finding: { id, probed, ...info('no answer; /server/info does not tell clients of this port') } };
}

function examineWeb({ apiUrl }: Deployment, outlook: Outlook): Promise<Finding[]> {
  const ask = asking(apiUrl, trusting(outlook));
  const remedy = (error: ProbeError): string =>
    remedyFor(error, { server: 'api', port: portOf(apiUrl), transport: 'tcp', setting: 'API_PORT' });
  const readiness = {
    id: 'api.ready',
    probed: 'The API’s own neighbours',
    effect: 'nobody knows how the API is',
    remedy,
  };
  const openApi = {
    id: 'api.openapi',
    probed: 'OpenAPI document',
    effect: 'no program can be generated from it',
    remedy,
  };
  return Promise.all([
    look(readiness, outlook.stop, (deadline) => checkReadiness(ask, deadline)),
    look(openApi, outlook.stop, (deadline) => checkOpenApi(ask, deadline)),
  ]);
}

/** At the chat server itself where its port is known; else where clients look for it. */
async function examineHostMeta(deployment: Deployment, names: Names, outlook: Outlook): Promise<Finding[]> {
  const { xmpp, upload } = deployment;
  if (typeof names.get(xmpp.host) === 'string') return [];
  const inside = upload.port !== undefined;
  const url = `https://${xmpp.domain}${inside ? `:${upload.port}` : ''}/.well-known/host-meta.json`;
  const subject = {
    ...{ id: 'xmpp.host-meta', probed: `host-meta of ${xmpp.domain}` },
    effect: 'web clients of other makers do not find the chat server',
    remedy: (error: ProbeError) =>
      remedyFor(error, { server: 'ejabberd', port: upload.port ?? 443, transport: 'tcp', setting: 'XMPP_HTTPS_PORT' }),
  };
  const trust = trusting(outlook);
  const probe = (deadline: Deadline): Promise<Verdict> =>
    checkHostMeta(deployment, url, trust, deadline, inside ? { connectTo: xmpp.host } : {});
  const finding = await look(subject, outlook.stop, probe);
  // Clients of ours read /server/info: what the domain itself answers is for others, and may be another machine's.
  const { id, probed, severity, detail, remedy } = finding;
  return [inside || severity === 'ok' ? finding : { id, probed, ...info(detail, remedy) }];
}
