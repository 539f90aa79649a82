/** The request as it will be sent. */
export interface OutgoingRequest {
  method: string;
  /** Lower case, without port. */
  host: string;
  port: number;
  /** Path and query. */
  path: string;
}

/** Makes the `Authorization` header of a route's requests. */
export interface Authorizer {
  /** Undefined: the client's own stays. Rejects with an IssuerError when there is nothing to authorize with. */
  header(request: OutgoingRequest): string | Promise<string> | undefined;
  /** The upstream has refused this header. True when another attempt would be made with a new one. */
  refused?(header: string): boolean;
}
