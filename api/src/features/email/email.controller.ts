import { Body, Controller, Delete, HttpCode, Post, Put } from '@nestjs/common';
import {
  ApiAcceptedResponse,
  ApiBearerAuth,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import { type Caller, CurrentCaller, Public, RateLimited } from '../../http/access.js';
import { Problems } from '../../http/openapi.js';
import {
  ChangeEmailRequest,
  ForgotPasswordAnswer,
  ForgotPasswordRequest,
  RemoveEmailRequest,
  VerificationSentAnswer,
  VerifiedEmailAnswer,
  VerifyEmailRequest,
} from './email.dto.js';
import { EmailService } from './email.service.js';

@ApiTags('account')
@Controller('account')
export class EmailController {
  constructor(private readonly emails: EmailService) {}

  @Put('email')
  @HttpCode(202)
  @RateLimited('change_identity')
  @ApiBearerAuth()
  @ApiOperation({ summary: 'Send a code to a new e-mail address' })
  @ApiAcceptedResponse({ type: VerificationSentAnswer })
  @Problems(
    ...(['unauthenticated', 'invalid_credentials', 'reauthentication_required', 'email_taken'] as const),
    ...(['validation_failed', 'mail_off', 'chat_server_unavailable'] as const),
  )
  async change(
    @CurrentCaller() caller: Caller,
    @Body() { email, password }: ChangeEmailRequest,
  ): Promise<VerificationSentAnswer> {
    await this.emails.change(caller, email, password);
    return { status: 'verification_sent' };
  }

  @Post('email/verify')
  @HttpCode(200)
  @RateLimited('verify_email')
  @ApiBearerAuth()
  @ApiOperation({ summary: 'Prove an e-mail address by the code that was sent to it' })
  @ApiOkResponse({ type: VerifiedEmailAnswer })
  @Problems('unauthenticated', 'invalid_code', 'email_taken', 'validation_failed')
  async verify(@CurrentCaller() caller: Caller, @Body() { code }: VerifyEmailRequest): Promise<VerifiedEmailAnswer> {
    return { status: 'verified', email: await this.emails.verify(caller, code) };
  }

  @Delete('email')
  @HttpCode(204)
  @RateLimited('change_identity')
  @ApiBearerAuth()
  @ApiOperation({ summary: 'Have no e-mail address any more' })
  @ApiNoContentResponse()
  @Problems(
    ...(['unauthenticated', 'invalid_credentials', 'reauthentication_required'] as const),
    ...(['validation_failed', 'chat_server_unavailable'] as const),
  )
  remove(@CurrentCaller() caller: Caller, @Body() { password }: RemoveEmailRequest): Promise<void> {
    return this.emails.remove(caller, password);
  }

  @Post('password/forgot')
  @HttpCode(202)
  @Public()
  @RateLimited('forgot_password')
  @ApiOperation({ summary: 'Have a code for a new password sent to the e-mail address of an account' })
  @ApiAcceptedResponse({ type: ForgotPasswordAnswer })
  @Problems('validation_failed', 'mail_off')
  async forgot(@Body() named: ForgotPasswordRequest): Promise<ForgotPasswordAnswer> {
    await this.emails.forgot(named);
    return { status: 'accepted' };
  }
}
