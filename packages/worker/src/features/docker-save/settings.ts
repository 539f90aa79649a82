import taskcluster from 'taskcluster-client';
import { z } from 'zod';

const dockerSave = z
  .strictObject({
    expiration: z
      .string()
      .refine(
        (text) => /^\s*\d/.test(text) && isTime(text),
        'must be a time such as "7 days" or "1 month 12 hours"',
      )
      .default('7 days')
      .describe('How long saved containers and caches are kept; never longer than their task is.'),
    compressionLevel: z
      .int()
      .min(1)
      .max(9)
      .default(6)
      .describe('1 is fastest, 9 makes the smallest artifacts.'),
  })
  .prefault({})
  .describe('What dockerSave uploads.');

export const settings = { dockerSave };

function isTime(text: string): boolean {
  try {
    taskcluster.fromNow(text);
    return true;
  } catch {
    return false;
  }
}
