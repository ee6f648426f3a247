import { Global, Module } from '@nestjs/common';
import { EjabberdModule } from '../../clients/ejabberd/ejabberd.module.js';
import { KamailioModule } from '../../clients/kamailio/kamailio.module.js';
import { reaperOf } from '../../common/reaper.js';
import { Authenticator } from '../../http/access.js';
import { InvitesModule } from '../invites/invites.module.js';
import { AccountController } from './account.controller.js';
import { AccountRepository } from './account.repository.js';
import { AccountService } from './account.service.js';
import { AccountAccess } from './account-access.js';
import { AccountRemoval } from './account-removal.js';
import { AccountSuspension } from './account-suspension.js';
import { Leases } from './leases.js';
import { NameReservation } from './name-reservation.js';
import { OneTimeCodes } from './one-time-codes.js';
import { OneTimeCodesRepository } from './one-time-codes.repository.js';
import { RegistrationService } from './registration.service.js';
import { SessionRepository } from './session.repository.js';
import { SessionService } from './session.service.js';
import { SuspensionRepository } from './suspension.repository.js';

/** Global because its Authenticator guards every route of every feature. */
@Global()
@Module({
  imports: [EjabberdModule, KamailioModule, InvitesModule],
  controllers: [AccountController],
  providers: [
    AccountService,
    RegistrationService,
    NameReservation,
    Leases,
    AccountRemoval,
    AccountSuspension,
    AccountAccess,
    SuspensionRepository,
    reaperOf(
      'suspension-reaper',
      AccountSuspension,
      (suspension) =>
        (...limits) =>
          suspension.finishLeftovers(...limits),
    ),
    reaperOf('session-reaper', SessionService, (sessions) => (most) => sessions.removeExpired(most)),
    reaperOf(
      'account-reaper',
      AccountRemoval,
      (removal) =>
        (...limits) =>
          removal.finishLeftovers(...limits),
    ),
    reaperOf('code-reaper', OneTimeCodes, (codes) => (most) => codes.removeExpired(most)),
    OneTimeCodes,
    OneTimeCodesRepository,
    SessionService,
    AccountRepository,
    SessionRepository,
    { provide: Authenticator, useExisting: SessionService },
  ],
  exports: [AccountService, AccountRemoval, OneTimeCodes, Authenticator],
})
export class AccountModule {}
