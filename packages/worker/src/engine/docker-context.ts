import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { UserError } from '../user-error.ts';

const CliConfig = z.looseObject({ currentContext: z.string().optional() });
const Context = z.looseObject({
  Endpoints: z.looseObject({
    docker: z.looseObject({ Host: z.string(), SkipTLSVerify: z.boolean().default(false) }),
  }),
});

type Environment = Record<string, string | undefined>;

/**
 * Variables that lead to the engine of the docker command line's context: the one that `DOCKER_CONTEXT` names, else the
 * one in use. `DOCKER_HOST` comes before either.
 *
 * @throws UserError when there is no such context
 */
export function contextVariables(env: Environment): Environment {
  const folder = env.DOCKER_CONFIG || join(homedir(), '.docker');
  const name = env.DOCKER_CONTEXT || contextInUse(folder);
  if (env.DOCKER_HOST || name === undefined || name === 'default') {
    return {};
  }
  const hash = createHash('sha256').update(name).digest('hex');
  const meta = join(folder, 'contexts/meta', hash, 'meta.json');
  const context = parsed(Context, meta);
  if (context === undefined) {
    throw new UserError(
      `The docker context "${name}" is not known (no ${meta}): "docker context ls" lists those there are; ` +
        'choose one with DOCKER_CONTEXT, or an engine with DOCKER_HOST.',
    );
  }
  const { Host, SkipTLSVerify } = context.Endpoints.docker;
  const certificates = join(folder, 'contexts/tls', hash, 'docker');
  return {
    DOCKER_HOST: Host,
    ...(existsSync(certificates) ? { DOCKER_CERT_PATH: certificates } : {}),
    ...(existsSync(certificates) && !SkipTLSVerify ? { DOCKER_TLS_VERIFY: '1' } : {}),
  };
}

function contextInUse(folder: string): string | undefined {
  return parsed(CliConfig, join(folder, 'config.json'))?.currentContext;
}

/** A file that is not there says nothing; one that is no such document is an error with its name. */
function parsed<Document>(schema: z.ZodType<Document>, file: string): Document | undefined {
  if (!existsSync(file)) {
    return undefined;
  }
  try {
    return schema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    throw new UserError(`${file} of the docker command line cannot be read: ${(error as Error).message}`);
  }
}
