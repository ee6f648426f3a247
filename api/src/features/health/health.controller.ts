import { Controller, Get, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiServiceUnavailableResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Public } from '../../http/access.js';
import { Drain } from '../../http/drain.js';
import { HealthAnswer, ReadinessAnswer } from './health.dto.js';
import { HealthService } from './health.service.js';

@ApiTags('health')
@Controller('health')
export class HealthController {
  constructor(
    private readonly health: HealthService,
    private readonly drain: Drain,
  ) {}

  @Get()
  @Public()
  @ApiOperation({ summary: 'Whether the process answers' })
  @ApiOkResponse({ type: HealthAnswer })
  alive(): HealthAnswer {
    return this.health.alive();
  }

  @Get('ready')
  @Public()
  @ApiOperation({ summary: 'Whether every server behind the API answers its own protocol' })
  @ApiOkResponse({ type: ReadinessAnswer })
  @ApiServiceUnavailableResponse({ type: ReadinessAnswer })
  async ready(@Res({ passthrough: true }) reply: FastifyReply): Promise<ReadinessAnswer> {
    const { status, neighbours } = await this.health.readiness();
    const answer = { status: this.drain.begun ? ('stopping' as const) : status, neighbours };
    reply.status(answer.status === 'unavailable' || answer.status === 'stopping' ? 503 : 200);
    return answer;
  }
}
