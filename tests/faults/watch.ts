import { setTimeout as delay } from 'node:timers/promises';
import axios from 'axios';
import { SERVERS, type Server } from '../support/host.js';
import { platform } from '../support/platform.js';
import { isUp, READINESS_PATIENCE_MS } from './truth.js';

/** How soon readiness must say what is. */
const TRUTH_WITHIN_MS = 5000;
const ASK_EVERY_MS = 250;

interface Look {
  askedAt: number;
  toldAt: number;
  up: boolean;
}

/** What /health/ready says of a server, of the API as a whole, and whether that is so: asked of the servers themselves. */
export class Watch {
  private readonly told: Look[] = [];
  private readonly seen: Look[] = [];
  private ended = false;
  private running: Promise<unknown> = Promise.resolve();

  private constructor(private readonly server: Server) {}

  static begin(server: Server): Watch {
    const watch = new Watch(server);
    const told = watch.keepLooking(watch.told, () => isToldUp(server));
    const seen = watch.keepLooking(watch.seen, () => isThere(server));
    watch.running = Promise.all([told, seen]);
    return watch;
  }

  /** Whether the server answers and readiness says so. */
  get well(): boolean {
    return this.told.at(-1)?.up === true && this.seen.at(-1)?.up === true;
  }

  /** @returns what readiness said that was not so, about a server that failed at that moment */
  async end(failedAt: number): Promise<{ lies: string[]; noticedAfterMs: number | undefined }> {
    this.ended = true;
    await this.running;
    // At least so long was it away: an answer that does not come takes its time.
    const backAt = this.seen.findLast(({ up }, index, looks) => !up && isDownBeside(looks, index))?.askedAt ?? failedAt;
    const backSeenAt = this.seen.find(({ up, askedAt }) => up && askedAt >= backAt)?.toldAt ?? Number.POSITIVE_INFINITY;
    // That the API says of itself that it is up proves it.
    const mayLie = this.server !== 'api';
    const tooLong = this.told.filter(({ up, askedAt, toldAt }) =>
      up ? mayLie && askedAt > failedAt + TRUTH_WITHIN_MS && toldAt < backAt : askedAt > backSeenAt + TRUTH_WITHIN_MS,
    );
    const lies = tooLong.map(
      ({ up, askedAt }) =>
        `${((askedAt - failedAt) / 1000).toFixed(1)} s after the fault, readiness said that ${this.server} was ${up ? 'up' : 'down'}`,
    );
    const noticed = this.told.find(({ up, toldAt }) => !up && toldAt > failedAt);
    return { lies, noticedAfterMs: noticed && noticed.toldAt - failedAt };
  }

  private async keepLooking(looks: Look[], isUp: () => Promise<boolean>): Promise<void> {
    while (!this.ended) {
      const askedAt = performance.now();
      const up = await isUp();
      looks.push({ askedAt, toldAt: performance.now(), up });
      await delay(ASK_EVERY_MS);
    }
  }
}

/** One failed look between two good ones is the machine's fault. */
const isDownBeside = (looks: readonly Look[], index: number): boolean =>
  looks[index - 1]?.up === false || looks[index + 1]?.up !== true;

/** The API is ready when every server behind it is there as well. */
async function isThere(server: Server): Promise<boolean> {
  if (server !== 'api') return isUp(server);
  return (await Promise.all(SERVERS.map(isUp))).every(Boolean);
}

async function isToldUp(server: Server): Promise<boolean> {
  const url = `http://${platform.host}:${platform.ports.api}/health/ready`;
  const answer = await axios
    .get(url, { proxy: false, timeout: READINESS_PATIENCE_MS, validateStatus: () => true })
    .catch(() => undefined);
  if (!answer) return false;
  if (server === 'api') return answer.status === 200;
  return answer.data.neighbours[server === 'postgres' ? 'postgresql' : server].state === 'up';
}
