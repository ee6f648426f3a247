import { setTimeout as delay } from 'node:timers/promises';
import type { SecureContext } from 'node:tls';
import { explain, type ProbeError, type Trouble } from '../../../clients/probes/probe-error.js';
import type { Deadline, Trust } from '../../../clients/probes/sockets.js';
import type { TurnTarget } from '../../../clients/probes/turn-session.js';
import type { Deployment } from '../deployment.js';
import { type Finding, fault, info, ok, type Verdict } from '../finding.js';
import { look, type Subject, within } from '../look.js';
import { remedyFor, type ServerName } from '../remedies.js';
import { makeCall } from './call.js';
import { exchangeFile, exchangeMessages } from './chat.js';
import { type ApiClient, type Guest, type Lodging, NotAdmitted, type TurnOffer } from './lodging.js';
import { refusesPrivatePeers, relayData, targetsOf } from './relay.js';

/** What a round trip is made with. */
export interface Journey {
  deployment: Deployment;
  api: ApiClient;
  lodging: Lodging;
  /** The media relay's address, where the settings can be read. */
  mediaAddress: string | undefined;
  authorities: SecureContext;
  stop: AbortSignal;
}

const ADMISSION_MS = 7000;
/** What people do takes several steps, on machines that may be slow. */
const DOING_MS = 9000;
const DISMISSAL_MS = 7000;
const RETRY_MS = 500;
const NEVER = new AbortController().signal;

/** Whether a failed registration has left an account: no answer leaves that open. */
const NOTHING_MADE: readonly Trouble[] = ['unresolved', 'refused', 'unreachable', 'not_tls', 'untrusted', 'rejected'];

/**
 * Does with two throw-away accounts what people do with theirs: log in, chat, send a file, call, relay. The accounts are
 * removed at the end, whatever happened.
 */
export async function makeRoundTrip(journey: Journey): Promise<Finding[]> {
  const { lodging } = journey;
  const guests = [lodging.newGuest(), lodging.newGuest()] as const;
  const made = new Set<Guest>();
  const findings: Finding[] = [];
  try {
    const admission = await admit(journey, guests, made);
    findings.push(admission);
    if (admission.severity === 'ok') findings.push(...(await travel(journey, guests)));
  } finally {
    if (made.size > 0) findings.push(await dismiss(journey, [...made]));
  }
  return findings;
}

const subjectOf = (id: string, probed: string, effect: string, server: ServerName): Subject => ({
  ...{ id: `roundtrip.${id}`, probed, effect },
  remedy: (error: ProbeError) => remedyOf(error, server),
});

/** The port itself is judged elsewhere: here it matters which server knows more. */
function remedyOf(error: ProbeError, server: ServerName): string {
  if (error.trouble === 'untrusted') return remedyFor(error, { server, port: '', transport: 'tcp', setting: '' });
  const others = server === 'kamailio' ? 'kamailio and rtpengine' : server;
  return `see what is said of ${others} here; log/${server}.log of the state directory says more`;
}

/** @param made becomes the guests that have, or may have, an account */
async function admit({ lodging, stop }: Journey, guests: readonly Guest[], made: Set<Guest>): Promise<Finding> {
  const admitOne = async (guest: Guest, deadline: Deadline): Promise<string> => {
    made.add(guest);
    return lodging.admit(guest, deadline).catch((error: unknown) => {
      if (NOTHING_MADE.includes(explain(error).trouble)) made.delete(guest);
      throw error;
    });
  };
  const subject = subjectOf('accounts', 'Two throw-away accounts', 'nobody can register', 'api');
  return look({ ...subject, timeoutMs: ADMISSION_MS }, stop, async (deadline): Promise<Verdict> => {
    try {
      // Both have to be waited for: what is still being made can't be removed.
      const admissions = await Promise.allSettled(guests.map((guest) => admitOne(guest, deadline)));
      const failed = admissions.find((admission) => admission.status === 'rejected');
      if (failed) throw failed.reason;
      const ways = new Set(admissions.flatMap((one) => (one.status === 'fulfilled' ? one.value : [])));
      return ok(`registered ${[...ways].join(' and ')}`);
    } catch (error) {
      if (!(error instanceof NotAdmitted)) throw error;
      return info(`${error.message}: chat, calls and relays were not tried with accounts`, 'run it on the server');
    }
  });
}

async function travel(journey: Journey, guests: readonly [Guest, Guest]): Promise<Finding[]> {
  const { authorities, deployment, stop } = journey;
  const trust: Trust = { authorities, verify: true };
  const doing = (...subject: Parameters<typeof subjectOf>): Subject => ({
    ...subjectOf(...subject),
    timeoutMs: DOING_MS,
  });
  const chat = doing('chat', 'A message between two accounts', 'people cannot chat', 'ejabberd');
  const file = doing('file', 'A file', 'people cannot send files', 'ejabberd');
  const call = doing('call', 'A call between two accounts', 'people cannot call each other', 'kamailio');
  const groups = await Promise.all([
    look(chat, stop, (deadline) => exchangeMessages(deployment, guests, trust, deadline)).then(alone),
    look(file, stop, (deadline) => exchangeFile(deployment, guests[0], trust, deadline)).then(alone),
    look(call, stop, (deadline) => makeCall(deployment, guests, trust, deadline)).then(alone),
    examineRelays(journey, guests[0], trust),
  ]);
  return groups.flat();
}

const alone = (finding: Finding): Finding[] => [finding];

/** With credentials as an app gets them, by every way that it is told. */
async function examineRelays(journey: Journey, guest: Guest, trust: Trust): Promise<Finding[]> {
  const { api, stop } = journey;
  const found: { offer?: TurnOffer } = {};
  const login = subjectOf('login', 'Login and credentials for the relay', 'apps get no credentials', 'api');
  const finding = await look(login, stop, async (deadline) => {
    found.offer = await api.turnOffer(await api.logIn(guest, deadline), deadline);
    return ok(`good at ${found.offer.uris.join(', ')}`);
  });
  if (!found.offer) return [finding];
  return [finding, ...(await useRelays(journey, found.offer, trust))];
}

async function useRelays(journey: Journey, offer: TurnOffer, trust: Trust): Promise<Finding[]> {
  const { deployment, mediaAddress, stop } = journey;
  const peers = { mediaAddress, stun: deployment.turn };
  const targets = targetsOf(offer);
  const relay = (target: TurnTarget): Promise<Finding> => {
    const way = target.transport;
    const effect = 'calls from behind strict firewalls have no sound';
    const subject = subjectOf(`relay.${way}`, `A relay over ${way.toUpperCase()}`, effect, 'coturn');
    return look(subject, stop, (deadline) => relayData(target, offer, peers, trust, deadline));
  };
  const guarded = (target: TurnTarget): Promise<Finding> => {
    const effect = 'it is not known what the relay lets people reach';
    const subject = subjectOf('relay.private', 'Private networks beyond the relay', effect, 'coturn');
    return look(subject, stop, (deadline: Deadline) => refusesPrivatePeers(target, offer, trust, deadline));
  };
  return Promise.all([...targets.map(relay), ...targets.slice(0, 1).map(guarded)]);
}

/** Not ended by what ends the rest: nothing may be left behind. */
async function dismiss({ lodging }: Journey, guests: readonly Guest[]): Promise<Finding> {
  const subject = { id: 'roundtrip.cleanup', probed: 'The throw-away accounts' };
  const dismissOne = (guest: Guest): Promise<'gone' | 'going'> =>
    within(DISMISSAL_MS, NEVER, (deadline) => persistently(deadline, () => lodging.dismiss(guest, deadline)));
  const outcomes = await Promise.allSettled(guests.map(dismissOne));
  const left = guests.filter((_, index) => outcomes[index]?.status === 'rejected').map(({ username }) => username);
  if (left.length > 0) {
    const remedy = `when the server is well again: scripts/veil.sh account delete NAME --yes, for ${left.join(' and ')}`;
    return { ...subject, ...fault('they could not be deleted: the API does not answer as it should', remedy) };
  }
  const going = outcomes.some((outcome) => outcome.status === 'fulfilled' && outcome.value === 'going');
  return { ...subject, ...(going ? info('closed; they go as soon as all servers are back') : ok('deleted')) };
}

/** Again and again until it is done or the time is over: a server that hangs may be back in a moment. */
async function persistently<T>(deadline: Deadline, work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (deadline.aborted) throw error;
      await delay(RETRY_MS);
    }
  }
}
