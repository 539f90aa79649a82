import { z } from 'zod';

const Refusal = z.looseObject({ code: z.string(), message: z.string() });

/** A service's own words for why it refused something, as `Code: message`, from the body of its answer. */
export function refusalText(body: string): string | undefined {
  try {
    const { code, message } = Refusal.parse(JSON.parse(body));
    return `${code}: ${message.split('\n---')[0]?.trim()}`;
  } catch {
    return undefined;
  }
}
