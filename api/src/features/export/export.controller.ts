import { Readable } from 'node:stream';
import { Controller, Get, StreamableFile } from '@nestjs/common';
import { ApiBearerAuth, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { type Caller, CurrentCaller, RateLimited } from '../../http/access.js';
import { Problems } from '../../http/openapi.js';
import { AccountExport } from './export.dto.js';
import { ExportService } from './export.service.js';

@ApiTags('account')
@Controller('account/export')
export class ExportController {
  constructor(private readonly exports: ExportService) {}

  @Get()
  @RateLimited('export')
  @ApiBearerAuth()
  @ApiOperation({ summary: 'All that is kept of the own account, or where it is to be had' })
  @ApiOkResponse({ type: AccountExport })
  @Problems('unauthenticated', 'reauthentication_required', 'chat_server_unavailable')
  async export(@CurrentCaller() caller: Caller): Promise<StreamableFile> {
    const text = Readable.from(await this.exports.document(caller), { objectMode: false });
    return new StreamableFile(text, { type: 'application/json; charset=utf-8', disposition: 'attachment' });
  }
}
