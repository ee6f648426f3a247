import { Module } from '@nestjs/common';
import { Google } from './google.client.js';
import { GoogleKeys } from './google-keys.client.js';

@Module({ providers: [Google, GoogleKeys], exports: [Google] })
export class GoogleClientModule {}
