import { applyDecorators, type Type } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import {
  ApiAcceptedResponse,
  ApiExtraModels,
  ApiOkResponse,
  ApiProperty,
  ApiResponse,
  DocumentBuilder,
  getSchemaPath,
  SwaggerModule,
} from '@nestjs/swagger';
import { PROBLEMS, type ProblemCode } from '../common/problem.js';

class FieldFaultDocument {
  @ApiProperty({ description: 'Path of the field in the request body', example: 'member_jids[0]' })
  field!: string;

  @ApiProperty({ description: 'What is expected of it' })
  detail!: string;
}

export class ProblemDocument {
  @ApiProperty({ example: 'urn:veil:problem:validation_failed' })
  type!: string;

  @ApiProperty({ example: 'The request has invalid fields' })
  title!: string;

  @ApiProperty({ example: 422 })
  status!: number;

  @ApiProperty({ description: 'What was wrong with this request' })
  detail!: string;

  @ApiProperty({ description: 'Stable name of the error', enum: Object.keys(PROBLEMS) })
  code!: string;

  @ApiProperty({ description: 'Under which the server logged this request' })
  request_id!: string;

  @ApiProperty({
    type: [FieldFaultDocument],
    required: false,
    description: 'With validation_failed: each invalid field',
  })
  errors?: FieldFaultDocument[];
}

/** Documents the problems that a route answers with, by status. */
export function Problems(...codes: ProblemCode[]): MethodDecorator & ClassDecorator {
  const byStatus = Map.groupBy(codes, (code) => PROBLEMS[code][0]);
  const schema = { $ref: getSchemaPath(ProblemDocument) };
  const responses = [...byStatus].map(([status, group]) =>
    ApiResponse({
      status,
      description: group.map((code) => `\`${code}\`: ${PROBLEMS[code][1]}`).join('. '),
      content: { 'application/problem+json': { schema } },
    }),
  );
  return applyDecorators(ApiExtraModels(ProblemDocument), ...responses);
}

/** Documents an answer that is 200, and 202 when a server that is away has to follow. Its `status` tells the same. */
export const OkOrAccepted = (type: Type) =>
  applyDecorators(
    ApiOkResponse({ type, description: 'Done in every server' }),
    ApiAcceptedResponse({ type, description: 'Done here; a server that is away has to follow' }),
  );

const errorTable = (): string =>
  Object.entries(PROBLEMS)
    .map(([code, [status, title]]) => `| \`${code}\` | ${status} | ${title} |`)
    .join('\n');

const DESCRIPTION = `One account and one device registry for chat, calls, push, your own SIM card and your own devices.

Start with \`GET /api/v1/server/info\`: it names every server that a client connects to. Register or log in for a token
and send it as \`Authorization: Bearer <token>\`.

Every error is an RFC 9457 problem document with a stable \`code\`. Whoever asks too much gets 429 from any route of the public listener, with a \`Retry-After\` header:

| code | status | meaning |
|---|---|---|
`;

/** The OpenAPI document of the whole application: what /docs shows and docs/openapi.json holds. */
export function openApiDocument(app: NestFastifyApplication) {
  const settings = new DocumentBuilder()
    .setTitle('Veil')
    .setDescription(DESCRIPTION + errorTable())
    .setVersion('1')
    .addBearerAuth()
    .build();
  return SwaggerModule.createDocument(app, settings, {
    operationIdFactory: (controller, method) => `${controller.replace(/Controller$/, '').toLowerCase()}_${method}`,
  });
}

export function serveDocumentation(app: NestFastifyApplication): void {
  SwaggerModule.setup('docs', app, () => openApiDocument(app), { jsonDocumentUrl: 'docs/openapi.json' });
}
