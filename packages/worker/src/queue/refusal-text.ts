import { z } from 'zod';

const Refusal = z.looseObject({ code: z.string(), message: z.string() });

/** A service's own words for why it refused something, as `Code: message`, from the body of its answer. */
export function refusalText(body: string): string | undefined {
  try {
    const { code, message } = Refusal.parse(JSON.parse(body));
    return `${code}: ${ownWords(message)}`;
  } catch {
    return undefined;
  }
}

/** The message of a service without the request, which services append below a rule. */
export function ownWords(message: string): string {
  return message.split('\n---')[0]?.trim() ?? '';
}
