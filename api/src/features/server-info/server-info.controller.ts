import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Public } from '../../http/access.js';
import { Problems } from '../../http/openapi.js';
import { ServerInfo } from './server-info.dto.js';
import { ServerInfoService } from './server-info.service.js';

@ApiTags('server')
@Controller('server')
export class ServerInfoController {
  constructor(private readonly server: ServerInfoService) {}

  @Get('info')
  @Public()
  @ApiOperation({ summary: 'Where every server is: what a client reads first' })
  @ApiOkResponse({ type: ServerInfo })
  @Problems('rate_limited')
  info(): ServerInfo {
    return this.server.info;
  }
}
