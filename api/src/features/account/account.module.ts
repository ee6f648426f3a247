import { Module } from '@nestjs/common';
import { EjabberdModule } from '../../clients/ejabberd/ejabberd.module.js';
import { KamailioModule } from '../../clients/kamailio/kamailio.module.js';
import { reaperOf } from '../../common/reaper.js';
import { InvitesModule } from '../invites/invites.module.js';
import { AccountController } from './account.controller.js';
import { AccountRepository } from './account.repository.js';
import { AccountService } from './account.service.js';
import { AccountDirectory } from './account-directory.js';
import { AccountEraser } from './account-eraser.js';
import { AccountEvents } from './account-events.js';
import { AccountRemoval } from './account-removal.js';
import { AccountSuspension } from './account-suspension.js';
import { DirectoryRepository } from './directory.repository.js';
import { Leases } from './leases.js';
import { LoginService } from './login.service.js';
import { LoginAttempts } from './login-attempts.js';
import { NameReservation } from './name-reservation.js';
import { OneTimeCodes } from './one-time-codes.js';
import { OneTimeCodesRepository } from './one-time-codes.repository.js';
import { PasswordService } from './password.service.js';
import { PasswordChange } from './password-change.js';
import { PasswordChangeRepository } from './password-change.repository.js';
import { ProfileController } from './profile.controller.js';
import { ProfileRepository } from './profile.repository.js';
import { ProfileService } from './profile.service.js';
import { RegistrationService } from './registration.service.js';
import { RetiredNames } from './retired-names.js';
import { RetiredNamesRepository } from './retired-names.repository.js';
import { SuspensionRepository } from './suspension.repository.js';
import { ThrowawayRepository } from './throwaway.repository.js';
import { ThrowawayAccounts } from './throwaway-accounts.js';

@Module({
  imports: [EjabberdModule, KamailioModule, InvitesModule],
  controllers: [AccountController, ProfileController],
  providers: [
    AccountService,
    ProfileService,
    ProfileRepository,
    AccountEvents,
    RegistrationService,
    NameReservation,
    RetiredNames,
    RetiredNamesRepository,
    Leases,
    AccountRemoval,
    AccountEraser,
    AccountSuspension,
    SuspensionRepository,
    AccountDirectory,
    DirectoryRepository,
    reaperOf(
      'suspension-reaper',
      AccountSuspension,
      (suspension) =>
        (...limits) =>
          suspension.finishLeftovers(...limits),
    ),
    reaperOf(
      'account-reaper',
      AccountRemoval,
      (removal) =>
        (...limits) =>
          removal.finishLeftovers(...limits),
    ),
    reaperOf('name-reaper', RetiredNames, (names) => (most) => names.removeExpired(most)),
    reaperOf('code-reaper', OneTimeCodes, (codes) => (most) => codes.removeExpired(most)),
    OneTimeCodes,
    OneTimeCodesRepository,
    AccountRepository,
    ThrowawayAccounts,
    ThrowawayRepository,
    LoginService,
    LoginAttempts,
    PasswordService,
    PasswordChange,
    PasswordChangeRepository,
    reaperOf(
      'password-reaper',
      PasswordChange,
      (changes) =>
        (...limits) =>
          changes.finishLeftovers(...limits),
    ),
  ],
  exports: [
    AccountEvents,
    AccountRemoval,
    AccountService,
    LoginService,
    OneTimeCodes,
    PasswordService,
    RegistrationService,
    RetiredNames,
    ThrowawayAccounts,
  ],
})
export class AccountModule {}
