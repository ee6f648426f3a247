import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import axios, { type AxiosResponse } from 'axios';
import type { Canaries } from './canaries.js';
import { checkout } from './checkout.js';

const file = path.join(checkout, 'docs', 'openapi.json');

interface Schema {
  properties?: Record<string, unknown>;
}
interface Document {
  paths: Record<string, Record<string, { requestBody?: { content: Record<string, { schema: { $ref: string } }> } }>>;
  components: { schemas: Record<string, Schema> };
}

const document = JSON.parse(readFileSync(file, 'utf8')) as Document;

/** Every operation of the published API, as `METHOD /path`, with the fields of its body. */
export const OPERATIONS: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries(document.paths).flatMap(([route, methods]) =>
    Object.entries(methods).map(([method, { requestBody }]) => {
      const schema = requestBody?.content['application/json']?.schema.$ref.split('/').at(-1) ?? '';
      const fields = Object.keys(document.components.schemas[schema]?.properties ?? {});
      return [`${method.toUpperCase()} ${route}`, fields] as const;
    }),
  ),
);

interface Mistake {
  query?: Record<string, string>;
  headers?: Record<string, string>;
  body?: string;
}

const JSON_TYPE = { 'content-type': 'application/json' };

/** What clients get wrong, each with secrets where they have no business. */
function mistakes(canaries: Canaries, fields: readonly string[]): Mistake[] {
  const secret = (): string => canaries.make('misplaced secret');
  const everyField = Object.fromEntries(fields.map((field) => [field, secret()]));
  const basic = Buffer.from(`alice:${secret()}`).toString('base64');
  return [
    { query: { password: secret(), token: secret(), code: secret(), [secret()]: 'x' } },
    { headers: { authorization: `Bearer ${secret()}`, cookie: `token=${secret()}`, 'x-token': secret() } },
    { headers: { authorization: `Basic ${basic}`, referer: `http://localhost/?code=${secret()}` } },
    { headers: { 'user-agent': secret(), 'x-request-id': secret(), 'x-forwarded-for': secret(), origin: secret() } },
    { headers: JSON_TYPE, body: `{"password":"${secret()}","code":` },
    { headers: JSON_TYPE, body: `["${secret()}"]` },
    {
      headers: JSON_TYPE,
      body: JSON.stringify({ [secret()]: 'x', password: { password: secret() }, code: [secret()] }),
    },
    { headers: JSON_TYPE, body: JSON.stringify(everyField) },
    { headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: `password=${secret()}` },
    { headers: { 'content-type': secret() }, body: secret() },
  ];
}

/** Gets an operation wrong in every way, at a listener of the API, as nobody and with a token; the answers. */
export async function getWrong(
  canaries: Canaries,
  operation: string,
  { port, token }: { port: number; token: string },
): Promise<AxiosResponse[]> {
  const [method = '', template = ''] = operation.split(' ');
  const ask = ({ query, headers = {}, body }: Mistake) =>
    axios.request({
      method,
      url: template.replace(/\{\w+\}/g, () => canaries.make('misplaced secret')),
      baseURL: `http://127.0.0.1:${port}`,
      params: query,
      headers,
      data: body,
      validateStatus: () => true,
      proxy: false,
      timeout: 20_000,
    });
  const fields = OPERATIONS.get(operation) ?? [];
  const withToken = fields.length > 0 ? mistakes(canaries, fields).filter(({ body }) => body !== undefined) : [];
  const authorized = withToken.map((mistake) => {
    return { ...mistake, headers: { ...mistake.headers, authorization: `Bearer ${token}` } };
  });
  return Promise.all([...mistakes(canaries, fields), ...authorized].map(ask));
}

/** Sends what is no request, or none that can be answered, and resolves when the server has closed the connection. */
export async function sendRaw(port: number, bytes: string): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: false });
  socket.on('error', () => undefined);
  socket.end(bytes);
  return text(socket).catch(() => 'the connection broke');
}

/** Bytes that are HTTP to a point, with secrets in all parts. */
export function brokenRequests(canaries: Canaries): string[] {
  const secret = (): string => canaries.make('secret in a broken request');
  const host = 'Host: localhost\r\nConnection: close\r\n';
  return [
    `GET /${secret()}?token=${secret()} HTTP/1.1\r\n${host}\r\n`,
    `GET /%zz${secret()} HTTP/1.1\r\n${host}\r\n`,
    `GET /docs/${secret()} HTTP/1.1\r\n${host}\r\n`,
    `GET /api/v1/groups/${secret()}${'x'.repeat(600)}/members HTTP/1.1\r\n${host}\r\n`,
    `GET / HTTP/1.1\r\n${host}Authorization ${secret()}\r\n\r\n`,
    `GET / HTTP/1.1\r\n${host}Cookie: ${secret()}${'x'.repeat(20_000)}\r\n\r\n`,
    `GET / HTTP/1.1\r\n${host}Authorization: Bearer ${secret()}\r\nContent-Length: ${secret()}\r\n\r\n`,
    `${secret()} / HTTP/1.1\r\n${host}\r\n`,
    `POST /api/v1/account/login HTTP/1.1\r\n${host}Content-Type: application/json\r\nContent-Length: 9999\r\n\r\n${secret()}`,
    `POST /api/v1/account/login HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n${secret()}\r\n`,
    `${secret()}\r\n\r\n`,
  ];
}
