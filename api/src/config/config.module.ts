import { type DynamicModule, Global, Module } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { Metrics } from '../common/metrics.js';
import { NeighbourTimes } from '../common/neighbour-times.js';
import { BACKGROUND } from '../common/reaper.js';
import { CONFIG, type Config } from './config.js';

/** Gives every module the configuration, the clock, the metrics, and whether to work in the background. */
@Global()
@Module({})
export class ConfigModule {
  static with(config: Config, background: boolean): DynamicModule {
    const metrics = new Metrics();
    return {
      module: ConfigModule,
      providers: [
        { provide: CONFIG, useValue: config },
        { provide: Clock, useValue: new Clock() },
        { provide: Metrics, useValue: metrics },
        { provide: NeighbourTimes, useValue: new NeighbourTimes(metrics) },
        { provide: BACKGROUND, useValue: background },
      ],
      exports: [CONFIG, Clock, Metrics, NeighbourTimes, BACKGROUND],
    };
  }
}
