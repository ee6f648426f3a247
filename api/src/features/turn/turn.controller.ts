import { Controller, Get } from '@nestjs/common';
import { ApiBearerAuth, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { type Caller, CurrentCaller, RateLimited } from '../../http/access.js';
import { Problems } from '../../http/openapi.js';
import { TurnCredentials } from './turn.dto.js';
import { TurnService } from './turn.service.js';

@ApiTags('turn')
@ApiBearerAuth()
@Controller('turn')
export class TurnController {
  constructor(private readonly turn: TurnService) {}

  @Get('credentials')
  @RateLimited('credentials')
  @ApiOperation({ summary: 'Time-limited credentials for the TURN server' })
  @ApiOkResponse({ type: TurnCredentials })
  @Problems('unauthenticated')
  credentials(@CurrentCaller() caller: Caller): TurnCredentials {
    return this.turn.credentials(caller);
  }
}
