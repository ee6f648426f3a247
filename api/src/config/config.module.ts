import { type DynamicModule, Global, Module } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { BACKGROUND } from '../common/reaper.js';
import { CONFIG, type Config } from './config.js';

/** Gives every module the configuration, the clock, and whether to work in the background. */
@Global()
@Module({})
export class ConfigModule {
  static with(config: Config, background: boolean): DynamicModule {
    return {
      module: ConfigModule,
      providers: [
        { provide: CONFIG, useValue: config },
        { provide: Clock, useValue: new Clock() },
        { provide: BACKGROUND, useValue: background },
      ],
      exports: [CONFIG, Clock, BACKGROUND],
    };
  }
}
