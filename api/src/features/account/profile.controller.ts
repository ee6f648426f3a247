import { Controller, Get } from '@nestjs/common';
import { ApiBearerAuth, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { type Caller, CurrentCaller } from '../../http/access.js';
import { Problems } from '../../http/openapi.js';
import { ProfileAnswer } from './profile.dto.js';
import { ProfileService } from './profile.service.js';

@ApiTags('account')
@Controller('account')
export class ProfileController {
  constructor(private readonly profiles: ProfileService) {}

  @Get()
  @ApiBearerAuth()
  @ApiOperation({ summary: 'What the own account is known by, and how it is opened' })
  @ApiOkResponse({ type: ProfileAnswer })
  @Problems('unauthenticated')
  show(@CurrentCaller() caller: Caller): Promise<ProfileAnswer> {
    return this.profiles.show(caller);
  }
}
