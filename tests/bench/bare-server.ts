import { createHmac, createSecretKey } from 'node:crypto';
import Fastify from 'fastify';
import jwt from 'jsonwebtoken';

/**
 * The reference of the benchmarks: the same answers from Fastify alone, without logging, limits and headers. Started
 * with an IPC channel: takes what it needs in one message and answers with its port.
 */
interface Task {
  info: object;
  jwtSecret: string;
  turnSecret: string;
  turnUris: string[];
}

const TTL_SECONDS = 86_400;

process.once('message', async ({ info, jwtSecret, turnSecret, turnUris }: Task) => {
  const jwtKey = createSecretKey(jwtSecret, 'utf8');
  const turnKey = createSecretKey(turnSecret, 'utf8');
  const server = Fastify();
  server.get('/info', () => info);
  server.get('/turn', (request) => {
    const token = request.headers.authorization?.slice('Bearer '.length) ?? '';
    const claims = jwt.verify(token, jwtKey, { algorithms: ['HS256'] });
    const username = `${Math.floor(Date.now() / 1000) + TTL_SECONDS}:${claims.sub}`;
    const password = createHmac('sha1', turnKey).update(username).digest('base64');
    return { username, password, ttl: TTL_SECONDS, uris: turnUris };
  });
  await server.listen({ host: '127.0.0.1', port: 0 });
  process.send?.((server.server.address() as { port: number }).port);
});
process.once('disconnect', () => process.exit(0));
