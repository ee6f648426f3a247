import { Global, Module } from '@nestjs/common';
import { EjabberdModule } from '../../clients/ejabberd/ejabberd.module.js';
import { KamailioModule } from '../../clients/kamailio/kamailio.module.js';
import { reaperOf } from '../../common/reaper.js';
import { Authenticator } from '../../http/access.js';
import { AccessTokens } from './access-tokens.js';
import { SessionRepository } from './session.repository.js';
import { SessionService } from './session.service.js';
import { SessionEnding } from './session-ending.js';
import { SessionEndingRepository } from './session-ending.repository.js';
import { SessionsController } from './sessions.controller.js';

/** Global because its Authenticator guards every route of every feature. */
@Global()
@Module({
  imports: [EjabberdModule, KamailioModule],
  controllers: [SessionsController],
  providers: [
    SessionService,
    SessionEnding,
    AccessTokens,
    SessionRepository,
    SessionEndingRepository,
    { provide: Authenticator, useExisting: SessionService },
    reaperOf('session-reaper', SessionService, (sessions) => (most) => sessions.removeExpired(most)),
    reaperOf(
      'ending-reaper',
      SessionEnding,
      (ending) =>
        (...limits) =>
          ending.finishLeftovers(...limits),
    ),
  ],
  exports: [SessionService, SessionEnding, Authenticator],
})
export class SessionsModule {}
