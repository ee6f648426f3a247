import { Module } from '@nestjs/common';
import { reaperOf } from '../../common/reaper.js';
import { InvitesRepository } from './invites.repository.js';
import { InvitesService } from './invites.service.js';

@Module({
  providers: [
    InvitesService,
    InvitesRepository,
    reaperOf('invite-reaper', InvitesService, (invites) => (most) => invites.removeEnded(most)),
  ],
  exports: [InvitesService],
})
export class InvitesModule {}
