import type { TestApp } from './app.js';

interface Schema {
  $ref?: string;
  type?: string;
  example?: unknown;
  enum?: unknown[];
  required?: string[];
  properties?: Record<string, Schema>;
}

interface Content {
  content?: Record<string, { schema: Schema }>;
}

interface Described {
  operationId: string;
  parameters?: { name: string; in: 'path' | 'query'; required: boolean }[];
  requestBody?: Content;
  responses: Record<string, Content>;
}

interface OpenApi {
  paths: Record<string, Record<Method, Described>>;
  components: { schemas: Record<string, Schema> };
}

type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';

/** What the OpenAPI document says of an operation. */
export interface Operation {
  /** Such as `DELETE /api/v1/groups/{group_id}`. */
  title: string;
  method: Method;
  path: string;
  /** The controller and its method. */
  id: string;
  parameters: { name: string; in: 'path' | 'query'; required: boolean }[];
  /** A body with all that has to be there; undefined where there is none. */
  body: Record<string, unknown> | undefined;
  /** The name of the schema of each status, if it has one. */
  answers: Record<string, string | undefined>;
}

/** Every operation of the OpenAPI document. */
export async function operationsOf(app: TestApp): Promise<Operation[]> {
  const { paths, components }: OpenApi = (await app.http.get('/docs/openapi.json')).body;
  return Object.entries(paths).flatMap(([path, operations]) =>
    (Object.entries(operations) as [Method, Described][]).map(([method, described]) => ({
      title: `${method.toUpperCase()} ${path}`,
      method,
      path,
      id: described.operationId,
      parameters: described.parameters ?? [],
      body: described.requestBody && sampleOf(schemaOf(described.requestBody), components.schemas),
      answers: Object.fromEntries(
        Object.entries(described.responses).map(([status, answer]) => [status, nameOf(schemaOf(answer))]),
      ),
    })),
  );
}

const schemaOf = ({ content = {} }: Content): Schema | undefined => Object.values(content)[0]?.schema;

const nameOf = (schema: Schema | undefined): string | undefined => schema?.$ref?.split('/').at(-1);

function sampleOf(schema: Schema | undefined, schemas: OpenApi['components']['schemas']): Record<string, unknown> {
  const { required = [], properties = {} } = schemas[nameOf(schema) ?? ''] ?? {};
  return Object.fromEntries(
    required.map((field) => [field, properties[field]?.example ?? properties[field]?.enum?.[0] ?? 'x']),
  );
}
