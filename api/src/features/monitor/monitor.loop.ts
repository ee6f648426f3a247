import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { BACKGROUND } from '../../common/reaper.js';
import { MonitorService } from './monitor.service.js';

/** Lets an API process take its part in looking after the servers, as long as it lives. */
@Injectable()
export class MonitorLoop implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly stop = new AbortController();
  private running: Promise<void> = Promise.resolve();

  constructor(
    private readonly monitor: MonitorService,
    @Inject(BACKGROUND) private readonly background: boolean,
  ) {}

  onApplicationBootstrap(): void {
    if (this.background && this.monitor.enabled) this.running = this.monitor.run(this.stop.signal);
  }

  async onModuleDestroy(): Promise<void> {
    this.stop.abort();
    await this.running;
  }
}
