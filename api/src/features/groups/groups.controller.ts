import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { type Caller, CurrentCaller, RateLimited } from '../../http/access.js';
import { Problems } from '../../http/openapi.js';
import {
  AddMemberRequest,
  ChangeRoleRequest,
  CreateGroupRequest,
  DoneAnswer,
  GroupAnswer,
  GroupMembersAnswer,
  GroupsAnswer,
  RenameGroupRequest,
} from './groups.dto.js';
import { GroupsService } from './groups.service.js';

const OK: DoneAnswer = { status: 'ok' };

@ApiTags('groups')
@ApiBearerAuth()
@Problems('unauthenticated', 'rate_limited')
@Controller('groups')
export class GroupsController {
  constructor(private readonly groups: GroupsService) {}

  @Post()
  @RateLimited('change_group')
  @ApiOperation({ summary: 'Create a group; the caller becomes its owner' })
  @ApiCreatedResponse({ type: GroupAnswer })
  @Problems(
    'validation_failed',
    'not_found',
    'too_many_groups',
    'too_many_members',
    'group_busy',
    'chat_server_unavailable',
  )
  create(@CurrentCaller() caller: Caller, @Body() { name, member_jids }: CreateGroupRequest): Promise<GroupAnswer> {
    return this.groups.create(caller, name, member_jids);
  }

  @Get()
  @ApiOperation({ summary: 'List the groups of which the caller is a member' })
  @ApiOkResponse({ type: GroupsAnswer })
  list(@CurrentCaller() caller: Caller): Promise<GroupsAnswer> {
    return this.groups.list(caller);
  }

  @Patch(':group_id')
  @RateLimited('change_group')
  @ApiOperation({ summary: 'Rename a group (owners and admins)' })
  @ApiOkResponse({ type: GroupAnswer })
  @Problems('validation_failed', 'forbidden', 'not_found', 'group_busy', 'chat_server_unavailable')
  rename(
    @CurrentCaller() caller: Caller,
    @Param('group_id') groupId: string,
    @Body() { name }: RenameGroupRequest,
  ): Promise<GroupAnswer> {
    return this.groups.rename(caller, groupId, name);
  }

  @Delete(':group_id')
  @RateLimited('change_group')
  @ApiOperation({ summary: 'Delete a group, its room and its archive (owners)' })
  @ApiOkResponse({ type: DoneAnswer })
  @Problems('forbidden', 'not_found', 'group_busy', 'chat_server_unavailable')
  delete(@CurrentCaller() caller: Caller, @Param('group_id') groupId: string): Promise<DoneAnswer> {
    return this.groups.delete(caller, groupId).then(() => OK);
  }

  @Get(':group_id/members')
  @ApiOperation({ summary: 'List the members of a group (members)' })
  @ApiOkResponse({ type: GroupMembersAnswer })
  @Problems('not_found')
  members(@CurrentCaller() caller: Caller, @Param('group_id') groupId: string): Promise<GroupMembersAnswer> {
    return this.groups.members(caller, groupId);
  }

  @Post(':group_id/members')
  @HttpCode(200)
  @RateLimited('change_group')
  @ApiOperation({ summary: 'Add a member (owners and admins; only owners add another role)' })
  @ApiOkResponse({ type: DoneAnswer })
  @Problems('validation_failed', 'forbidden', 'not_found', 'too_many_members', 'group_busy', 'chat_server_unavailable')
  addMember(
    @CurrentCaller() caller: Caller,
    @Param('group_id') groupId: string,
    @Body() { jid, role }: AddMemberRequest,
  ): Promise<DoneAnswer> {
    return this.groups.addMember(caller, groupId, jid, role).then(() => OK);
  }

  @Patch(':group_id/members/:jid')
  @RateLimited('change_group')
  @ApiOperation({ summary: "Change a member's role (owners)" })
  @ApiOkResponse({ type: DoneAnswer })
  @Problems('validation_failed', 'forbidden', 'not_found', 'last_owner', 'group_busy', 'chat_server_unavailable')
  changeRole(
    @CurrentCaller() caller: Caller,
    @Param('group_id') groupId: string,
    @Param('jid') jid: string,
    @Body() { role }: ChangeRoleRequest,
  ): Promise<DoneAnswer> {
    return this.groups.changeRole(caller, groupId, jid, role).then(() => OK);
  }

  @Delete(':group_id/members/:jid')
  @RateLimited('change_group')
  @ApiOperation({ summary: 'Remove a member (owners and admins; only owners remove owners and admins)' })
  @ApiOkResponse({ type: DoneAnswer })
  @Problems('forbidden', 'not_found', 'last_owner', 'group_busy', 'chat_server_unavailable')
  removeMember(
    @CurrentCaller() caller: Caller,
    @Param('group_id') groupId: string,
    @Param('jid') jid: string,
  ): Promise<DoneAnswer> {
    return this.groups.removeMember(caller, groupId, jid).then(() => OK);
  }

  @Post(':group_id/leave')
  @HttpCode(200)
  @RateLimited('change_group')
  @ApiOperation({ summary: 'Leave a group; its last owner hands over first' })
  @ApiOkResponse({ type: DoneAnswer })
  @Problems('not_found', 'last_owner', 'group_busy', 'chat_server_unavailable')
  leave(@CurrentCaller() caller: Caller, @Param('group_id') groupId: string): Promise<DoneAnswer> {
    return this.groups.leave(caller, groupId).then(() => OK);
  }
}
