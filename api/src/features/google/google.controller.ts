import { Body, Controller, Delete, HttpCode, Ip, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { type Caller, CurrentCaller, Public, RateLimited } from '../../http/access.js';
import { Counted } from '../../http/counted.js';
import { Problems } from '../../http/openapi.js';
import { SessionService } from '../sessions/session.service.js';
import { sessionAnswer } from '../sessions/session-answer.js';
import { GoogleSignInAnswer, GoogleSignInRequest, LinkGoogleRequest } from './google.dto.js';
import { GoogleLinkService } from './google-link.service.js';
import { GoogleSignInService } from './google-sign-in.service.js';

@ApiTags('account')
@Controller()
export class GoogleController {
  constructor(
    private readonly signIns: GoogleSignInService,
    private readonly links: GoogleLinkService,
    private readonly sessions: SessionService,
  ) {}

  @Post(['account/google', 'auth/google'])
  @HttpCode(200)
  @Public()
  @RateLimited('login')
  @Counted('google_sign_ins')
  @ApiOperation({ summary: 'Log in with Google; the first time an account is created' })
  @ApiOkResponse({ type: GoogleSignInAnswer })
  @Problems(
    'invalid_id_token',
    'invalid_credentials',
    'account_suspended',
    'registration_closed',
    'invite_required',
    'invite_invalid',
    'username_taken',
    'validation_failed',
    'google_sign_in_off',
    'identity_provider_unavailable',
    'account_busy',
    'chat_server_unavailable',
  )
  async signIn(@Body() request: GoogleSignInRequest, @Ip() address: string): Promise<GoogleSignInAnswer> {
    const { session, created } = await this.signIns.signIn(request, address);
    return { ...sessionAnswer(session, this.sessions.lifetimeSeconds), created };
  }

  @Post('account/google/link')
  @HttpCode(204)
  @RateLimited('change_identity')
  @ApiBearerAuth()
  @ApiOperation({ summary: 'Let a Google account open the own account, soon after a login' })
  @ApiNoContentResponse()
  @Problems(
    'unauthenticated',
    'invalid_id_token',
    'reauthentication_required',
    'google_account_taken',
    'validation_failed',
    'google_sign_in_off',
    'identity_provider_unavailable',
  )
  link(@CurrentCaller() caller: Caller, @Body() { id_token }: LinkGoogleRequest): Promise<void> {
    return this.links.link(caller, id_token);
  }

  @Delete('account/google')
  @HttpCode(204)
  @RateLimited('change_identity')
  @ApiBearerAuth()
  @ApiOperation({ summary: 'Let no Google account open the own account any more, soon after a login' })
  @ApiNoContentResponse()
  @Problems('unauthenticated', 'reauthentication_required', 'last_way_in')
  unlink(@CurrentCaller() caller: Caller): Promise<void> {
    return this.links.unlink(caller);
  }
}
