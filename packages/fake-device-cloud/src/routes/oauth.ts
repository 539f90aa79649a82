import type { FastifyInstance } from 'fastify';
import type { CloudState } from '../cloud-state.ts';

export function oauthRoutes(app: FastifyInstance, { accounts }: CloudState): void {
  app.post('/oauth/token', (request) => accounts.grant((request.body ?? {}) as Record<string, unknown>));
}
