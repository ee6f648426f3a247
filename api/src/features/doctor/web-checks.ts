import { askHttp, type HttpAnswer, type HttpRequest } from '../../clients/probes/http.probe.js';
import { ProbeError } from '../../clients/probes/probe-error.js';
import type { Deadline, Trust } from '../../clients/probes/sockets.js';
import type { ReadinessAnswer } from '../health/health.dto.js';
import type { Deployment } from './deployment.js';
import { fault, info, ok, type Verdict, warning } from './finding.js';
import { isPublicAddress } from './names.rules.js';

/** What the deployment answers over HTTP, judged. Nothing secret is sent: the certificates are judged elsewhere. */

type Ask = (path: string, deadline: Deadline) => Promise<HttpAnswer>;

export const asking =
  (apiUrl: string, trust: Trust): Ask =>
  (path, deadline) =>
    askHttp(`${apiUrl}${path}`, trust, deadline);

/** The OpenAPI document: other programs are generated from it. */
export async function checkOpenApi(ask: Ask, deadline: Deadline): Promise<Verdict> {
  const { status, body } = await ask('/docs/openapi.json', deadline);
  const paths = typeof body === 'object' && body !== null && 'paths' in body ? body.paths : undefined;
  if (status === 200 && typeof paths === 'object' && paths !== null) {
    return ok(`${Object.keys(paths).length} paths are described`);
  }
  return warning(`/docs/openapi.json answers ${status}`, 'let the proxy in front of the API pass /docs on');
}

/** What the API itself says of its neighbours. */
export async function checkReadiness(ask: Ask, deadline: Deadline): Promise<Verdict> {
  const { status, body } = await ask('/health/ready', deadline);
  if (status === 404 || status === 403) return info('the proxy in front of the API does not pass /health on');
  const { status: state, neighbours } = readReadiness(body);
  const down = Object.entries(neighbours).filter(([, neighbour]) => neighbour.state !== 'up');
  const names = down.map(([name]) => name).join(', ');
  if (state === 'ready') return ok('the API reaches all its servers');
  const remedy = 'see what is said of these servers here; scripts/up.sh starts what is not running';
  if (state === 'degraded')
    return warning(`the API does not reach ${names}: accounts and chat work, calls or pushes may not`, remedy);
  return fault(`the API does not reach ${names}: hardly anything works`, remedy);
}

function readReadiness(body: unknown): ReadinessAnswer {
  if (typeof body === 'object' && body !== null && 'neighbours' in body) return body as ReadinessAnswer;
  throw new ProbeError('unexpected', 'what answers at /health/ready is not the API');
}

/** XEP-0156: web clients find the WebSocket by the domain alone. @param url of host-meta.json */
export async function checkHostMeta(
  { xmpp }: Deployment,
  url: string,
  trust: Trust,
  deadline: Deadline,
  request: HttpRequest = {},
): Promise<Verdict> {
  const { status, body } = await askHttp(url, trust, deadline, request);
  const links = typeof body === 'object' && body !== null && 'links' in body ? body.links : [];
  const told = (Array.isArray(links) ? links : []).map((link: { href?: unknown }) => link.href);
  if (told.includes(xmpp.webSocketUrl)) return ok(`names ${xmpp.webSocketUrl}`);
  return warning(
    `${url} (HTTP ${status}) does not name ${xmpp.webSocketUrl}: web clients of other makers do not find the chat server`,
    `have https://${xmpp.domain}/.well-known/host-meta and host-meta.json passed on to XMPP_HTTPS_PORT of ejabberd`,
  );
}

/** Passwords and tokens cross this connection. @param addresses where the name of the API leads */
export function judgeApiUrl(apiUrl: string, addresses: readonly string[]): Verdict {
  if (apiUrl.startsWith('https:')) return ok('answers, and TLS protects it');
  const remedy = 'put a proxy with TLS in front of the API, and let BIND_ADDRESS be where only the proxy reaches it';
  if (addresses.some(isPublicAddress)) return fault('passwords and tokens cross the network in clear text', remedy);
  if (addresses.every((address) => address === '::1' || address.startsWith('127.'))) return ok('answers');
  return info('answers without TLS: right if only a proxy reaches this address', remedy);
}
