/** What a handler returns: a JSON value (`undefined` is sent as `{}`), or a `Respond` for anything but 200. */
export type Answer = object | undefined | Respond;

export class Respond {
  readonly status: number;
  /** Undefined for none. */
  readonly body: object | undefined;
  readonly headers: Record<string, string>;

  constructor(status: number, body: object | undefined, headers: Record<string, string> = {}) {
    this.status = status;
    this.body = body;
    this.headers = headers;
  }
}

/** 303 to `location`; API clients read the body instead. */
export function seeOther(location: string, body: object = {}, headers: Record<string, string> = {}): Respond {
  return new Respond(303, body, { ...headers, location });
}
