import { Module } from '@nestjs/common';
import { GoogleClientModule } from '../../clients/google/google.module.js';
import { AccountModule } from '../account/account.module.js';
import { GoogleController } from './google.controller.js';
import { GoogleRepository } from './google.repository.js';
import { GoogleLinkService } from './google-link.service.js';
import { GoogleSignInService } from './google-sign-in.service.js';

@Module({
  imports: [GoogleClientModule, AccountModule],
  controllers: [GoogleController],
  providers: [GoogleSignInService, GoogleLinkService, GoogleRepository],
})
export class GoogleModule {}
