import { Module } from '@nestjs/common';
import { EjabberdModule } from '../../clients/ejabberd/ejabberd.module.js';
import { reaperOf } from '../../common/reaper.js';
import { AccountModule } from '../account/account.module.js';
import { GroupChanges } from './group-changes.js';
import { GroupRoom } from './group-room.js';
import { GroupsController } from './groups.controller.js';
import { GroupsRepository } from './groups.repository.js';
import { GroupsService } from './groups.service.js';
import { RemovedRooms } from './removed-rooms.js';
import { RemovedRoomsRepository } from './removed-rooms.repository.js';

@Module({
  imports: [AccountModule, EjabberdModule],
  controllers: [GroupsController],
  providers: [
    GroupsService,
    GroupChanges,
    GroupRoom,
    GroupsRepository,
    RemovedRooms,
    RemovedRoomsRepository,
    reaperOf(
      'group-reaper',
      GroupChanges,
      (changes) =>
        (...limits) =>
          changes.mendRooms(...limits),
    ),
    reaperOf(
      'removed-room-reaper',
      RemovedRooms,
      (rooms) =>
        (...limits) =>
          rooms.destroyAgain(...limits),
    ),
  ],
})
export class GroupsModule {}
