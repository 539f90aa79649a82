import { newSlugid } from '../slugid.ts';
import { Collection, type ListOptions } from '../store/collection.ts';
import type { Database } from '../store/database.ts';

export interface Client {
  clientId: string;
  accessToken: string;
  scopes: string[];
  description: string;
  expires: string;
  created: string;
  lastModified: string;
  lastRotated: string;
  disabled: boolean;
  deleteOnExpiration: boolean;
}

/** Clients that are part of the deployment do not expire while anybody watches. */
const FAR_FUTURE = '3000-01-01T00:00:00.000Z';

/** An access token has the form of two slugids. */
export function newAccessToken(): string {
  return newSlugid() + newSlugid();
}

export class Clients {
  /** Ordered by clientId; used for listing. */
  readonly collection: Collection<Client>;

  constructor(database: Database) {
    this.collection = new Collection(database, 'client');
  }

  get(clientId: string): Client | undefined {
    return this.collection.get(clientId);
  }

  list(options: ListOptions): Client[] {
    return this.collection.values(options);
  }

  put(client: Client): void {
    this.collection.put(client.clientId, client);
  }

  delete(clientId: string): void {
    this.collection.delete(clientId);
  }

  /** A client that always exists. Its access token is kept across restarts unless another one is given. */
  ensureStatic(clientId: string, scopes: string[], accessToken?: string): Client {
    const now = new Date().toJSON();
    const kept = this.get(clientId);
    const client: Client = {
      clientId,
      accessToken: accessToken ?? kept?.accessToken ?? newAccessToken(),
      scopes,
      description: 'Part of this deployment.',
      expires: FAR_FUTURE,
      created: kept?.created ?? now,
      lastModified: now,
      lastRotated: kept?.lastRotated ?? now,
      disabled: false,
      deleteOnExpiration: false,
    };
    this.put(client);
    return client;
  }
}
