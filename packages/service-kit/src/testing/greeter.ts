import { defineService } from '../service/define-service.ts';
import { greeterOptions } from './greeter-options.ts';

/** The smallest service there can be, for tests of what the kit gives to all of them. */
await defineService({
  manifest: { name: 'greeter', version: '1.2.3' },
  description: 'Answers each request with a greeting.',
  options: greeterOptions,
  load: () => import('./start-greeter.ts'),
  drainMs: 500,
})();
