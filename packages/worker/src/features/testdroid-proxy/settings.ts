import { oneAccount, oneAccountProblem, testdroidShape } from '@docker-worker/testdroid-proxy/sidecar';
import { z } from 'zod';

/** What an operator says to lend phones to tasks. Without it no task can use testdroidProxy. */
export const TestdroidSettings = z
  .strictObject({
    ...testdroidShape,
    ca: z.string().optional().describe('PEM file of certificates to trust beside the system’s.'),
  })
  .refine(oneAccount, oneAccountProblem)
  .describe('The cloud of phones behind http://testdroid; tasks cannot use testdroidProxy without it.');
export type TestdroidSettings = z.infer<typeof TestdroidSettings>;

export const settings = { testdroid: TestdroidSettings.optional() };
