import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { buildMessage, IsIn, IsOptional, IsString, Matches, MaxLength, MinLength, ValidateBy } from 'class-validator';
import { readDeviceId } from '../common/device-id.js';

/** Control characters, NUL among them, and code points that are no characters: no text, and XML forbids them. */
const NOT_TEXT = /\p{Cc}|\p{Noncharacter_Code_Point}/u;

/** Whether it is a line of text: the database and XML take it. */
export const isCleanText = (value: unknown): value is string =>
  typeof value === 'string' && value.isWellFormed() && !NOT_TEXT.test(value);

const IsCleanText = () =>
  ValidateBy({
    name: 'isCleanText',
    validator: {
      validate: isCleanText,
      defaultMessage: buildMessage(() => 'must be text without control characters'),
    },
  });

interface TextField {
  min?: number;
  max: number;
  description: string;
  example?: string;
  optional?: true;
  secret?: true;
}

/** A line of text of `min` to `max` characters: validation and OpenAPI in one. */
export function Text({ min = 1, max, description, example, optional, secret }: TextField): PropertyDecorator {
  return applyDecorators(
    ...(optional ? [IsOptional()] : []),
    MaxLength(max, { message: `must be at most ${max} characters long` }),
    MinLength(min, { message: min === 1 ? 'must not be empty' : `must be at least ${min} characters long` }),
    IsCleanText(),
    IsString({ message: 'must be a string' }),
    ApiProperty({
      description,
      ...(example === undefined ? {} : { example }),
      minLength: min,
      maxLength: max,
      required: !optional,
      ...(secret ? { format: 'password' } : {}),
    }),
  );
}

/** One of a few words. */
export function Choice(values: readonly string[], description: string, optional?: 'optional'): PropertyDecorator {
  return applyDecorators(
    ...(optional ? [IsOptional()] : []),
    IsIn(values, { message: `must be one of ${values.join(', ')}` }),
    ApiProperty({ description, enum: values, required: !optional }),
  );
}

/** A list of lines of text. */
export function TextList(most: number, max: number, description: string, example: string[]): PropertyDecorator {
  return applyDecorators(
    MaxLength(max, { each: true, message: `must each be at most ${max} characters long` }),
    ValidateBy({
      name: 'isTextList',
      validator: {
        validate: (value) => Array.isArray(value) && value.length <= most && value.every(isCleanText),
        defaultMessage: buildMessage(() => `must be a list of at most ${most} strings`),
      },
    }),
    ApiProperty({ description, example, type: [String], maxItems: most }),
  );
}

/** A time in seconds since the epoch, with up to six decimals, as text: a number would lose some of them. */
export function OptionalSeconds(description: string): PropertyDecorator {
  return applyDecorators(
    IsOptional(),
    Matches(/^\d{1,10}(\.\d{1,6})?$/, { message: 'must be seconds since the epoch' }),
    ApiProperty({
      description: `${description}, in seconds since the epoch`,
      example: '1795894484.123456',
      required: false,
    }),
  );
}

/** A list of objects that whoever takes it reads one by one. */
export function Objects(most: number, description: string): PropertyDecorator {
  return applyDecorators(
    ValidateBy({
      name: 'isObjects',
      validator: {
        validate: (value) => Array.isArray(value) && value.length <= most,
        defaultMessage: buildMessage(() => `must be a list of at most ${most}`),
      },
    }),
    ApiProperty({ description, type: 'array', items: { type: 'object' }, maxItems: most }),
  );
}

/** How a device stands in the OpenAPI document. */
export const deviceIdProperty = (description: string) => ({
  description: `${description}: a number where the server has given it, else text`,
  oneOf: [{ type: 'integer' }, { type: 'string', maxLength: 128 }],
  example: 7,
});

/** A device, as number or text: common/device-id.ts reads it. */
export function DeviceId(description: string): PropertyDecorator {
  return applyDecorators(
    ValidateBy({
      name: 'isDeviceId',
      validator: {
        validate: (value) => readDeviceId(value) !== undefined,
        defaultMessage: buildMessage(() => 'must be the id of a device'),
      },
    }),
    ApiProperty(deviceIdProperty(description)),
  );
}

/** A whole number within limits. */
export function Whole(min: number, max: number, description: string): PropertyDecorator {
  return applyDecorators(
    ValidateBy({
      name: 'isWhole',
      validator: {
        validate: (value) => Number.isInteger(value) && value >= min && value <= max,
        defaultMessage: buildMessage(() => `must be a whole number from ${min} to ${max}`),
      },
    }),
    ApiProperty({ description, type: 'integer', minimum: min, maximum: max }),
  );
}
