import { HttpFaultProxy } from './fault-http.js';
import type { Plan } from './fault-plan.js';
import { PostgresFaultProxy } from './fault-postgres.js';
import { OwnApi } from './own-api.js';
import { platform } from './platform.js';
import { until } from './wait.js';

/** The neighbours that keep something of accounts and groups. */
export const NEIGHBOURS = ['ejabberd', 'kamailio', 'postgresql'] as const;
export type Neighbour = (typeof NEIGHBOURS)[number];

/** What was asked of a neighbour. */
export interface Step {
  neighbour: Neighbour;
  what: string;
}

export const stepsAt = (neighbour: Neighbour, steps: readonly Step[]): string[] =>
  steps.filter((step) => step.neighbour === neighbour).map(({ what }) => what);

/** How long the API waits for a neighbour here: long enough for a busy machine, short enough to wait for it often. */
const NEIGHBOUR_TIMEOUT_MS = 1000;

/** Longer than a reaper pauses between two steps of what it finishes. */
const REST_MS = 300;
const MOST_REST_MS = 3000;

/** How a reaper looks for something to do, and how it forgets what has expired, whoever's it is. */
const REAPER_SQL = /FOR UPDATE SKIP LOCKED|^DELETE (?!.* account_id = \$).* LIMIT \$/;

interface Proxies {
  ejabberd: HttpFaultProxy;
  kamailio: HttpFaultProxy;
  postgresql: PostgresFaultProxy;
}

/** An API process of its own that reaches its neighbours through proxies. */
export class FaultRig {
  /** What was asked of the neighbours since `arm`, in order. */
  readonly steps: Step[] = [];

  private constructor(
    readonly api: OwnApi,
    private readonly proxies: Proxies,
  ) {
    for (const neighbour of NEIGHBOURS) {
      proxies[neighbour].plan.onStep = (what) => this.steps.push({ neighbour, what });
    }
  }

  static async start(): Promise<FaultRig> {
    const { xmppApi, sipRpc, database } = platform.ports;
    const ejabberd = await HttpFaultProxy.start(xmppApi);
    const kamailio = await HttpFaultProxy.start(sipRpc);
    const postgresql = await PostgresFaultProxy.start(database, REAPER_SQL);
    const proxies = { ejabberd, kamailio, postgresql };
    try {
      return new FaultRig(await OwnApi.start(settingsFor(proxies)), proxies);
    } catch (error) {
      await stop(proxies);
      throw error;
    }
  }

  /**
   * Counts steps from now on, of which one may fail. The reapers of this process begin nothing meanwhile, and what they have
   * begun is done, so that it is the operation that takes the steps.
   */
  async arm(neighbour?: Neighbour, plan?: Plan): Promise<void> {
    this.proxies.postgresql.gate.close();
    const atRest = () => NEIGHBOURS.every((each) => this.proxies[each].plan.restMs > REST_MS);
    // Whoever is disturbed nevertheless tries again.
    await until('the reapers rest', atRest, { timeoutMs: MOST_REST_MS }).catch(() => {});
    this.steps.length = 0;
    for (const each of NEIGHBOURS) this.proxies[each].plan.arm(each === neighbour ? plan : undefined);
  }

  disarm(): void {
    for (const each of NEIGHBOURS) this.proxies[each].plan.disarm();
    this.proxies.postgresql.gate.open();
  }

  /** What was asked of one neighbour since `arm`, in order. */
  stepsAt(neighbour: Neighbour): string[] {
    return stepsAt(neighbour, this.steps);
  }

  async stop(): Promise<void> {
    await this.api.stop();
    await stop(this.proxies);
  }
}

const settingsFor = ({ ejabberd, kamailio, postgresql }: Proxies): NodeJS.ProcessEnv => ({
  XMPP_API_URL: `http://127.0.0.1:${ejabberd.port}`,
  SIP_RPC_URL: `http://127.0.0.1:${kamailio.port}`,
  DB_HOST: '127.0.0.1',
  DB_PORT: String(postgresql.port),
  // One for each reaper that the gate holds back, and some for the operation.
  DB_POOL_SIZE: '25',
  NEIGHBOUR_TIMEOUT_MS: String(NEIGHBOUR_TIMEOUT_MS),
  // The hourly work of this process would be steps of whatever operation is under way.
  CHAT_OFFLINE_DAYS: '0',
});

async function stop(proxies: Proxies): Promise<void> {
  await Promise.all(Object.values(proxies).map((proxy) => proxy.stop()));
}
