import { type DynamicModule, Global, Module } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { CONFIG, type Config } from './config.js';

/** Gives every module the configuration and the clock. */
@Global()
@Module({})
export class ConfigModule {
  static with(config: Config): DynamicModule {
    return {
      module: ConfigModule,
      providers: [
        { provide: CONFIG, useValue: config },
        { provide: Clock, useValue: new Clock() },
      ],
      exports: [CONFIG, Clock],
    };
  }
}
