import { ApiProperty } from '@nestjs/swagger';
import { Choice, Text, TextList } from '../../http/fields.js';
import { GROUP_ROLES, type GroupRole } from './group-rules.js';

const JID = 'bob@localhost';
const LONGEST_JID = 300;

export class CreateGroupRequest {
  @Text({ max: 100, description: 'What members see', example: 'Family' })
  name!: string;

  @TextList(500, LONGEST_JID, 'Accounts of this server to begin with, besides the caller, who becomes owner', [JID])
  member_jids!: string[];
}

export class RenameGroupRequest {
  @Text({ max: 100, description: 'What members see', example: 'Family' })
  name!: string;
}

export class AddMemberRequest {
  @Text({ max: LONGEST_JID, description: 'An account of this server', example: JID })
  jid!: string;

  @Choice(GROUP_ROLES, 'member if it is left out', 'optional')
  role?: GroupRole;
}

export class ChangeRoleRequest {
  @Choice(GROUP_ROLES, 'The new role')
  role!: GroupRole;
}

export class GroupAnswer {
  @ApiProperty({ format: 'uuid' })
  group_id!: string;

  @ApiProperty({ description: 'The room in the chat server', example: '0b9f…@muc.localhost' })
  jid!: string;

  @ApiProperty({ example: 'Family' })
  name!: string;
}

export class GroupListingAnswer extends GroupAnswer {
  @ApiProperty({ enum: GROUP_ROLES, description: "The caller's own role" })
  role!: GroupRole;
}

export class GroupsAnswer {
  @ApiProperty({ type: [GroupListingAnswer] })
  groups!: GroupListingAnswer[];
}

export class GroupMemberAnswer {
  @ApiProperty({ example: JID })
  jid!: string;

  @ApiProperty({ enum: GROUP_ROLES, description: 'In the words of XEP-0045' })
  affiliation!: GroupRole;

  @ApiProperty({ enum: GROUP_ROLES, description: 'The same' })
  role!: GroupRole;
}

export class GroupMembersAnswer {
  @ApiProperty({ type: [GroupMemberAnswer] })
  members!: GroupMemberAnswer[];
}

export class DoneAnswer {
  @ApiProperty({ enum: ['ok'] })
  status!: 'ok';
}
