/** The part of taskcluster-client (which ships no types) that this repository calls. */
declare module 'taskcluster-client' {
  import type { Agent as HttpAgent } from 'node:http';
  import type { Agent as HttpsAgent } from 'node:https';

  export interface Credentials {
    clientId: string;
    accessToken: string;
    certificate?: string | object;
  }

  export interface ClientOptions {
    rootUrl: string;
    credentials?: Credentials;
    authorizedScopes?: string[];
    /** Milliseconds; default 30000. */
    timeout?: number;
    /** How often a request is repeated after a network error or a 5xx; default 5. */
    retries?: number;
    [option: string]: unknown;
  }

  /** Every API method takes its route parameters, then its payload, then its query. */
  // biome-ignore lint/suspicious/noExplicitAny: answers are parsed with zod at the call
  type ApiMethod = (...args: any[]) => Promise<any>;

  export class Client {
    constructor(options: ClientOptions);
    use(options: Partial<ClientOptions>): this;
    // biome-ignore lint/suspicious/noExplicitAny: the client builds its methods from the API reference
    [method: string]: any;
    buildUrl(method: ApiMethod, ...args: unknown[]): string;
    buildSignedUrl(method: ApiMethod, ...args: unknown[]): string;
  }

  const taskcluster: {
    /** Uploads an object by whatever method the object service offers. */
    upload(options: Record<string, unknown>): Promise<void>;
    /** What all clients connect by that have no agent of their own. */
    agents: { http: HttpAgent; https: HttpsAgent };
    Auth: typeof Client;
    Queue: typeof Client;
    Secrets: typeof Client;
    Index: typeof Client;
    PurgeCache: typeof Client;
    WorkerManager: typeof Client;
    Object: typeof Client;
    /** A class with a method for each entry of an API reference. */
    createClient(reference: object, name: string): typeof Client;
    slugid(): string;
    fromNow(offset: string, reference?: Date): Date;
    fromNowJSON(offset: string, reference?: Date): string;
    createTemporaryCredentials(options: {
      clientId?: string;
      start?: Date;
      expiry: Date;
      scopes: string[];
      credentials: Credentials;
    }): Credentials;
  };
  // biome-ignore lint/style/noDefaultExport: the package has one
  export default taskcluster;
}

declare module 'taskcluster-lib-scopes' {
  /** Every scope of `required` is covered by some scope of `given`. */
  export function satisfiesExpression(given: string[], required: unknown): boolean;
  export function scopeMatch(given: string[], required: string[][]): boolean;
  export function normalizeScopeSet(scopes: string[]): string[];
  export function removeGivenScopes(given: string[], expression: unknown): unknown;
  export function scopeUnion(...sets: string[][]): string[];
  export function scopeIntersection(...sets: string[][]): string[];
}
