import { Body, Controller, Delete, HttpCode, Post, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { type Caller, CurrentCaller, Public, RateLimited } from '../../http/access.js';
import { Problems } from '../../http/openapi.js';
import {
  DeleteAccountAnswer,
  DeleteAccountRequest,
  LoginAnswer,
  LoginRequest,
  RegisterAnswer,
  RegisterRequest,
} from './account.dto.js';
import { AccountService } from './account.service.js';

@ApiTags('account')
@Controller()
export class AccountController {
  constructor(private readonly accounts: AccountService) {}

  @Post(['account/register', 'auth/register'])
  @Public()
  @RateLimited('register')
  @ApiOperation({ summary: 'Create an account for chat and calls, and log in' })
  @ApiCreatedResponse({ type: RegisterAnswer })
  @Problems(
    'registration_closed',
    'invite_required',
    'invite_invalid',
    'validation_failed',
    'username_taken',
    'email_taken',
    'account_busy',
    'rate_limited',
    'chat_server_unavailable',
  )
  register(@Body() request: RegisterRequest): Promise<RegisterAnswer> {
    return this.accounts.register(request);
  }

  @Post(['account/login', 'auth/login'])
  @HttpCode(200)
  @Public()
  @RateLimited('login')
  @ApiOperation({ summary: 'Log in' })
  @ApiOkResponse({ type: LoginAnswer })
  @Problems('validation_failed', 'invalid_credentials', 'rate_limited', 'chat_server_unavailable')
  login(@Body() request: LoginRequest): Promise<LoginAnswer> {
    return this.accounts.login(request);
  }

  @Delete('account')
  @RateLimited('delete_account')
  @ApiBearerAuth()
  @ApiOperation({ summary: 'Delete the own account everywhere' })
  @ApiOkResponse({ type: DeleteAccountAnswer, description: '202 instead when a server that is away has to follow' })
  @Problems('unauthenticated', 'invalid_credentials', 'forbidden', 'validation_failed', 'chat_server_unavailable')
  async delete(
    @CurrentCaller() caller: Caller,
    @Body() { jid, password }: DeleteAccountRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<DeleteAccountAnswer> {
    const answer = await this.accounts.delete(caller, jid, password);
    reply.status(answer.status === 'deleted' ? 200 : 202);
    return answer;
  }
}
