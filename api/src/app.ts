import 'reflect-metadata';
import type { RequestListener } from 'node:http';
import { RequestMethod, UnsupportedMediaTypeException } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { type FastifyBaseLogger, type FastifyInstance, type FastifyServerOptions, LogController } from 'fastify';
import pino from 'pino';
import { AppModule } from './app.module.js';
import type { Config } from './config/config.js';
import { BrokenRequests } from './http/broken-requests.js';
import { Drain } from './http/drain.js';
import { CORS } from './http/headers.js';
import { createHttpServer } from './http/http-server.js';
import { NestLogger } from './http/nest-logger.js';
import { serveDocumentation } from './http/openapi.js';
import { sendError } from './http/problem.filter.js';
import { RequestHooks } from './http/request-hooks.js';
import { newRequestId } from './http/request-id.js';
import { BASE_PATH, withBasePath } from './http/root-paths.js';

const BODY_LIMIT_BYTES = 64 * 1024;

/** How Nest makes the application: from the module list, or in tests from one with some providers replaced. */
type Build = (config: Config, adapter: FastifyAdapter) => Promise<NestFastifyApplication>;

const fromModuleList: Build = (config, adapter) =>
  NestFactory.create<NestFastifyApplication>(AppModule.with(config), adapter, {
    bodyParser: false,
    logger: false,
    // A module list that does not fit together is told by whoever starts the application: Nest would only end it.
    abortOnError: false,
  });

type OnFrameworkError = NonNullable<FastifyServerOptions['frameworkErrors']>;

function fastifyAdapter({ http }: Config, onFrameworkError: OnFrameworkError): FastifyAdapter {
  return new FastifyAdapter({
    // Lines are written in blocks: logging a request must not cost a system call.
    loggerInstance: pino(
      { level: http.logLevel, base: null },
      pino.destination({ sync: false, minLength: 4096, periodicFlush: 500 }),
    ),
    // http/request-hooks.ts writes the one line of a request.
    logController: new LogController({ disableRequestLogging: true }),
    // One logger for all requests: a child for each would cost more than its line.
    childLoggerFactory: (logger: FastifyBaseLogger) => logger,
    genReqId: newRequestId,
    trustProxy: http.trustedProxies.length > 0 ? http.trustedProxies : false,
    bodyLimit: BODY_LIMIT_BYTES,
    serverFactory: (listener: RequestListener) => createHttpServer(listener, http.limits),
    rewriteUrl: withBasePath,
    routerOptions: { maxParamLength: 512 },
    // http/drain.ts ends connections; Nest, told to, would cut those whose request is being worked on.
    forceCloseConnections: false,
    frameworkErrors: onFrameworkError,
    // http/broken-requests.ts answers those of every listener.
    clientErrorHandler: () => {},
  });
}

/** The whole application, not yet listening; main serves it and the tests ask it. */
export async function createApp(config: Config, build: Build = fromModuleList): Promise<NestFastifyApplication> {
  const adapter = fastifyAdapter(config, (error, request, reply) => {
    // It has no route yet, and so no hooks.
    app.get(RequestHooks).begin(request, reply);
    sendError(error, request, reply);
  });
  const app = await build(config, adapter);
  const fastify = app.getHttpAdapter().getInstance();
  app.useLogger(new NestLogger(fastify.log));
  app.get(Drain).watch(app.getHttpServer());
  app.get(BrokenRequests).watch(app.getHttpServer());
  app.get(RequestHooks).attach(adapter);
  acceptEmptyBodies(fastify);
  if (config.http.corsOrigin) app.enableCors({ origin: config.http.corsOrigin, ...CORS });
  app.setGlobalPrefix(BASE_PATH, {
    exclude: [
      { path: 'health', method: RequestMethod.GET },
      { path: 'health/ready', method: RequestMethod.GET },
      { path: 'metrics', method: RequestMethod.GET },
    ],
  });
  serveDocumentation(app);
  // By process.exit: the log still has lines to write, which a signal would lose.
  app.enableShutdownHooks(['SIGTERM', 'SIGINT'], { useProcessExit: true });
  return app;
}

/** Some HTTP clients name the type of a body when there is none, JSON or form data. Only then is the latter accepted. */
function acceptEmptyBodies(fastify: FastifyInstance): void {
  const parseJson = fastify.getDefaultJsonParser('error', 'error');
  fastify.removeContentTypeParser('application/json');
  fastify.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, body, done) =>
    body === '' ? done(null, undefined) : parseJson(request, body, done),
  );
  fastify.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) => {
    if (body === '') done(null, undefined);
    else done(new UnsupportedMediaTypeException());
  });
}
