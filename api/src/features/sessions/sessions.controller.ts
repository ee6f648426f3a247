import { Body, Controller, Delete, Get, HttpCode, Param, ParseUUIDPipe, Post, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { type Caller, CurrentCaller, Public, RateLimited } from '../../http/access.js';
import { Counted } from '../../http/counted.js';
import { OkOrAccepted, Problems } from '../../http/openapi.js';
import type { SessionRow } from './session.repository.js';
import { SessionService } from './session.service.js';
import { sessionAnswer } from './session-answer.js';
import { RefreshRequest, SessionAnswer, SessionEndAnswer, SessionsAnswer } from './sessions.dto.js';

@ApiTags('sessions')
@Controller('account')
export class SessionsController {
  constructor(private readonly sessions: SessionService) {}

  @Post('refresh')
  @HttpCode(200)
  @Public()
  @RateLimited('refresh')
  @Counted('session_refreshes')
  @ApiOperation({ summary: 'Exchange a refresh token for new tokens' })
  @ApiOkResponse({ type: SessionAnswer })
  @Problems('validation_failed', 'invalid_refresh_token')
  async refresh(@Body() { refresh_token }: RefreshRequest): Promise<SessionAnswer> {
    return sessionAnswer(await this.sessions.refresh(refresh_token), this.sessions.lifetimeSeconds);
  }

  @Get('sessions')
  @ApiBearerAuth()
  @ApiOperation({ summary: 'List where the account is logged in, the last used first' })
  @ApiOkResponse({ type: SessionsAnswer })
  @Problems('unauthenticated')
  async list(@CurrentCaller() caller: Caller): Promise<SessionsAnswer> {
    const rows = await this.sessions.list(caller);
    return { sessions: rows.map((row) => document(row, caller)) };
  }

  @Post('logout')
  @HttpCode(200)
  @ApiBearerAuth()
  @ApiOperation({ summary: 'End this session, its streams and its registrations' })
  @OkOrAccepted(SessionEndAnswer)
  @Problems('unauthenticated')
  async logout(
    @CurrentCaller() caller: Caller,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<SessionEndAnswer> {
    return told(await this.sessions.end(caller, caller.sessionId), reply);
  }

  @Delete('sessions')
  @ApiBearerAuth()
  @ApiOperation({ summary: 'End every other session, and every stream and registration that is not of this device' })
  @OkOrAccepted(SessionEndAnswer)
  @Problems('unauthenticated')
  async endOthers(
    @CurrentCaller() caller: Caller,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<SessionEndAnswer> {
    return told(await this.sessions.endOthers(caller), reply);
  }

  @Delete('sessions/:id')
  @ApiBearerAuth()
  @ApiOperation({ summary: 'End one session, its streams and its registrations' })
  @OkOrAccepted(SessionEndAnswer)
  @Problems('unauthenticated', 'not_found')
  async end(
    @CurrentCaller() caller: Caller,
    @Param('id', new ParseUUIDPipe({ errorHttpStatusCode: 404 })) id: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<SessionEndAnswer> {
    return told(await this.sessions.end(caller, id), reply);
  }
}

const document = (row: SessionRow, caller: Caller) => ({
  id: row.id,
  current: row.id === caller.sessionId,
  device_id: row.device_id,
  device_name: row.device_name,
  created_at: row.created_at.toISOString(),
  last_used_at: row.used_at.toISOString(),
  expires_at: row.expires_at.toISOString(),
});

function told(ended: boolean, reply: FastifyReply): SessionEndAnswer {
  reply.status(ended ? 200 : 202);
  return { status: ended ? 'ended' : 'ending' };
}
