import { z } from 'zod';

const allowPtrace = z
  .strictObject({
    capability: z
      .boolean()
      .default(false)
      .describe('Gives such tasks SYS_PTRACE; needed where kernel.yama.ptrace_scope is not 0.'),
    withoutAppArmor: z
      .enum(['allow', 'refuse'])
      .default('allow')
      .describe('What becomes of such tasks on a host without AppArmor, where no profile confines them.'),
  })
  .prefault({})
  .describe('How tasks with the feature allowPtrace are confined.');

export const settings = { allowPtrace };
