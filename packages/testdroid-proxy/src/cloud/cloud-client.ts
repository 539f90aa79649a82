import type { Dispatcher } from 'undici';
import { z } from 'zod';
import { askCloud } from './ask-cloud.ts';
import type { CloudAuthorization } from './cloud-authorization.ts';
import { CloudError } from './cloud-error.ts';

export interface CloudClientOptions {
  dispatcher: Dispatcher;
  /** With a slash at its end. */
  cloudUrl: string;
  authorization: CloudAuthorization;
}

type Call<Answer extends z.ZodType> = Pick<
  Parameters<typeof askCloud<Answer>>[1],
  'method' | 'form' | 'answer' | 'signal'
>;

/** Version 2 of the cloud's API, with the authorization that it wants. */
export class CloudClient {
  readonly #options: CloudClientOptions;

  constructor(options: CloudClientOptions) {
    this.#options = options;
  }

  /**
   * @param path below `api/v2/`, with query
   * @throws CloudError
   */
  async ask<Answer extends z.ZodType>(path: string, call: Call<Answer>): Promise<z.output<Answer>> {
    const { authorization: source, cloudUrl, dispatcher } = this.#options;
    const request = { ...call, url: `${cloudUrl}api/v2/${path}` };
    const authorization = await source.header(call.signal);
    try {
      return await askCloud(dispatcher, { ...request, authorization });
    } catch (error) {
      const isRefused = error instanceof CloudError && error.status === 401;
      if (!isRefused || !source.refused(authorization)) throw error;
    }
    return askCloud(dispatcher, { ...request, authorization: await source.header(call.signal) });
  }

  /** All items of a list that the cloud gives in pages. */
  async list<Item extends z.ZodType>(
    path: string,
    item: Item,
    signal: AbortSignal,
  ): Promise<z.output<Item>[]> {
    const whole = `${path}${path.includes('?') ? '&' : '?'}limit=0`;
    const { data } = await this.ask(whole, {
      method: 'GET',
      answer: z.object({ data: z.array(item) }),
      signal,
    });
    return data as z.output<Item>[];
  }
}
