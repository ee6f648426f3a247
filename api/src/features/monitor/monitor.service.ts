import { setTimeout as pause } from 'node:timers/promises';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { Mailer } from '../../clients/smtp/smtp.client.js';
import { Clock } from '../../common/clock.js';
import { newId } from '../../common/ids.js';
import { Metrics } from '../../common/metrics.js';
import { CONFIG, type Config } from '../../config/config.js';
import { type Vital, VitalsCheckup } from '../doctor/vitals.checkup.js';
import { type Alert, isNews, observe, told } from './alert-rules.js';
import { alertText } from './alert-text.js';
import { MonitorRepository } from './monitor.repository.js';

/** In intervals: a holder that misses one round keeps the lease. */
const LEASE_INTERVALS = 2.5;
/** Of an interval: what failed is looked at again after that part of it, for a server that restarts is not down. */
const SECOND_LOOK = 1 / 6;

/**
 * Looks after the servers and mails the operator: one process of all that could, by a lease in the database. When the
 * database itself does not answer, whoever held the lease goes on; what was told is in memory then, and written later.
 */
@Injectable()
export class MonitorService {
  private readonly logger = new Logger('monitor');
  private readonly id = newId();
  /** Undefined until the database has said so; alone until then. */
  private holds: boolean | undefined;
  private alerts: Alert[] | undefined;

  constructor(
    private readonly vitals: VitalsCheckup,
    private readonly repository: MonitorRepository,
    private readonly mailer: Mailer,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
    metrics: Metrics,
  ) {
    metrics.gauges('up', 'Whether the monitor found it well; only where the monitor runs', 'subject', () =>
      this.levels(),
    );
  }

  /** Whether there is anybody to tell. */
  get enabled(): boolean {
    return this.mailer.enabled && this.config.monitor.recipients.length > 0;
  }

  /** Looks once in an interval, until it is stopped. @param looked is told after each look */
  async run(stop: AbortSignal, looked: () => void = () => {}): Promise<void> {
    while (!stop.aborted) {
      await this.look(stop).catch((error: unknown) => this.report('looking after the servers', error));
      looked();
      await pause(this.config.monitor.intervalMs, undefined, { signal: stop, ref: false }).catch(() => {});
    }
    await this.repository.giveBack(this.id).catch(() => {});
  }

  /** One round, if it is this process that looks. */
  async look(stop: AbortSignal): Promise<void> {
    if (!(await this.takeLease())) {
      this.alerts = undefined;
      return;
    }
    const vitals = await this.examine(stop);
    if (stop.aborted) return;
    const known = this.alerts ?? (await this.repository.alerts().catch(() => []));
    this.alerts = await this.tell(observe(known, vitals, this.clock.now()));
    await this.repository
      .replaceAlerts(this.alerts)
      .catch((error: unknown) => this.report('keeping the alerts', error));
  }

  private async takeLease(): Promise<boolean> {
    const now = this.clock.now();
    const expiresAt = new Date(now.getTime() + LEASE_INTERVALS * this.config.monitor.intervalMs);
    const answer = await this.repository.lease(this.id, now, expiresAt).catch(() => undefined);
    if (answer !== undefined) this.holds = answer;
    return this.holds ?? true;
  }

  private async examine(stop: AbortSignal): Promise<Vital[]> {
    const first = await this.vitals.examine(stop);
    if (!first.some(({ severity }) => severity === 'fault')) return first;
    await pause(SECOND_LOOK * this.config.monitor.intervalMs, undefined, { signal: stop, ref: false }).catch(() => {});
    return this.vitals.examine(stop);
  }

  /** @returns the alerts, with what the operator knows now. A mail that nobody took is tried again in the next round. */
  private async tell(alerts: Alert[]): Promise<Alert[]> {
    const { monitor, addresses } = this.config;
    const now = this.clock.now();
    const news = alerts.filter((alert) => isNews(alert, now, monitor.cooldownMs));
    if (news.length === 0) return alerts;
    const text = alertText(news, addresses.xmppDomain);
    const sent = await Promise.allSettled(monitor.recipients.map((to) => this.mailer.send({ to, ...text })));
    for (const result of sent) if (result.status === 'rejected') this.report('mailing the operator', result.reason);
    if (sent.every(({ status }) => status === 'rejected')) return alerts;
    return alerts.map((alert) => (news.includes(alert) ? told(alert, now) : alert));
  }

  private levels(): [subject: string, up: number][] {
    return (this.alerts ?? []).map(({ subject, severity }) => [subject, severity === 'fault' ? 0 : 1]);
  }

  private report(what: string, error: unknown): void {
    this.logger.warn(`${what} failed: ${error instanceof Error ? error.message : 'unknown'}`);
  }
}
