import { z } from 'zod';
import { UserError } from '../../user-error.ts';

/** What worker-manager hands to the machines that it starts. */
const UserData = z.looseObject({
  rootUrl: z.url(),
  workerPoolId: z.string().min(1),
  providerId: z.string().min(1),
  workerGroup: z.string().min(1),
});
export type UserData = z.infer<typeof UserData>;

/** @throws UserError */
export function parseUserData(text: string, where: string): UserData {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    document = undefined;
  }
  const parsed = UserData.safeParse(document);
  if (!parsed.success) {
    throw new UserError(
      `The ${where} of this machine is not what worker-manager gives to its workers:\n${z.prettifyError(parsed.error)}`,
    );
  }
  return parsed.data;
}
