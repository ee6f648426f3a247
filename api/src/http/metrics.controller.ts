import { Controller, Get, Header } from '@nestjs/common';
import { ApiBearerAuth, ApiOkResponse, ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import { Metrics } from '../common/metrics.js';
import { Internal } from './access.js';
import { Problems } from './openapi.js';

@ApiTags('health')
@ApiBearerAuth()
@Controller('metrics')
export class MetricsController {
  constructor(private readonly metrics: Metrics) {}

  @Get()
  @Internal()
  @Header('content-type', 'text/plain; version=0.0.4; charset=utf-8')
  @ApiOperation({
    summary: 'What this process counts and measures, for Prometheus',
    description: 'On the internal listener only, with the internal secret as Bearer token.',
  })
  @ApiProduces('text/plain')
  @ApiOkResponse({ type: String })
  @Problems('unauthenticated', 'not_found')
  read(): Promise<string> {
    return this.metrics.text();
  }
}
