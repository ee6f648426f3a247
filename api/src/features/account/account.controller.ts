import { Body, Controller, Delete, HttpCode, Ip, Post, Put, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { type Caller, CurrentCaller, Public, RateLimited } from '../../http/access.js';
import { Counted } from '../../http/counted.js';
import { OkOrAccepted, Problems } from '../../http/openapi.js';
import { type OpenSession, SessionService } from '../sessions/session.service.js';
import { sessionAnswer } from '../sessions/session-answer.js';
import { SessionAnswer } from '../sessions/sessions.dto.js';
import {
  ChangePasswordAnswer,
  ChangePasswordRequest,
  DeleteAccountAnswer,
  DeleteAccountRequest,
  LoginRequest,
  RegisterAnswer,
  RegisterRequest,
  ResetPasswordRequest,
} from './account.dto.js';
import { AccountService } from './account.service.js';
import { LoginService } from './login.service.js';
import { typedName } from './login-name.js';
import { PasswordService } from './password.service.js';

@ApiTags('account')
@Controller()
export class AccountController {
  constructor(
    private readonly accounts: AccountService,
    private readonly logins: LoginService,
    private readonly passwords: PasswordService,
    private readonly sessions: SessionService,
  ) {}

  @Post(['account/register', 'auth/register'])
  @Public()
  @RateLimited('register')
  @Counted('registrations')
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
    'chat_server_unavailable',
  )
  async register(@Body() request: RegisterRequest, @Ip() address: string): Promise<RegisterAnswer> {
    return { status: 'registered', ...this.answer(await this.accounts.register(request, address)) };
  }

  @Post(['account/login', 'auth/login'])
  @HttpCode(200)
  @Public()
  @RateLimited('login')
  @Counted('logins')
  @ApiOperation({ summary: 'Log in' })
  @ApiOkResponse({ type: SessionAnswer })
  @Problems('validation_failed', 'invalid_credentials', 'account_suspended', 'chat_server_unavailable')
  async login(
    @Body() { username, email, password, device_id, device_name }: LoginRequest,
    @Ip() address: string,
  ): Promise<SessionAnswer> {
    const name = typedName({ username, email });
    return this.answer(await this.logins.login(name, password, { id: device_id, name: device_name }, address));
  }

  @Put('account/password')
  @RateLimited('change_password')
  @ApiBearerAuth()
  @ApiOperation({ summary: 'Change the password, which ends every other session, stream and registration' })
  @OkOrAccepted(ChangePasswordAnswer)
  @Problems(
    'unauthenticated',
    'invalid_credentials',
    'reauthentication_required',
    'validation_failed',
    'account_busy',
    'chat_server_unavailable',
  )
  async changePassword(
    @CurrentCaller() caller: Caller,
    @Body() { password, new_password }: ChangePasswordRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ChangePasswordAnswer> {
    const changed = await this.passwords.change(caller, password, new_password);
    reply.status(changed ? 200 : 202);
    return { status: changed ? 'changed' : 'changing' };
  }

  @Post('account/password/reset')
  @HttpCode(200)
  @Public()
  @RateLimited('reset_password')
  @Counted('password_resets')
  @ApiOperation({ summary: 'Set a new password by a one-time code, which ends every session, stream and registration' })
  @OkOrAccepted(ChangePasswordAnswer)
  @Problems('invalid_code', 'validation_failed', 'account_busy')
  async resetPassword(
    @Body() { code, new_password }: ResetPasswordRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ChangePasswordAnswer> {
    const changed = await this.passwords.reset(code, new_password);
    reply.status(changed ? 200 : 202);
    return { status: changed ? 'changed' : 'changing' };
  }

  @Delete('account')
  @RateLimited('delete_account')
  @ApiBearerAuth()
  @ApiOperation({ summary: 'Delete the own account everywhere' })
  @OkOrAccepted(DeleteAccountAnswer)
  @Problems(
    'unauthenticated',
    'invalid_credentials',
    'reauthentication_required',
    'forbidden',
    'validation_failed',
    'chat_server_unavailable',
  )
  async delete(
    @CurrentCaller() caller: Caller,
    @Body() { jid, password }: DeleteAccountRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<DeleteAccountAnswer> {
    const deleted = await this.accounts.delete(caller, jid, password);
    reply.status(deleted ? 200 : 202);
    return { status: deleted ? 'deleted' : 'deleting' };
  }

  private answer(session: OpenSession): SessionAnswer {
    return sessionAnswer(session, this.sessions.lifetimeSeconds);
  }
}
