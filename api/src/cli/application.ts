import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AppModule } from '../app.module.js';
import { loadConfig } from '../config/config.js';

/**
 * Lets the services of the API do a verb's work: the same application on the same settings, which does not listen and
 * leaves what nobody waits for to the API's own processes. It may run beside any number of them.
 */
export async function inApplication<T>(work: (app: INestApplicationContext) => Promise<T>): Promise<T> {
  const app = await NestFactory.createApplicationContext(AppModule.with(loadConfig(), { background: false }), {
    // To stderr: what a verb prints is its answer alone.
    logger: ['error', 'fatal'],
    abortOnError: false,
  });
  try {
    return await work(app);
  } finally {
    await app.close();
  }
}
