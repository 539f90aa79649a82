import { readFileSync } from 'node:fs';
import { UserError } from '../../user-error.ts';

/** `NAME=VALUE` arguments of `--env`. */
export function parseVariables(values: string[]): Record<string, string> {
  return Object.fromEntries(values.map((value) => split('--env', value, 'NAME=VALUE')));
}

/**
 * `NAME=JSON` arguments of `--secret`; a secret's value is a JSON object. `NAME=@FILE` reads it from a file,
 * which other users of the machine cannot see as they can see arguments.
 */
export function parseSecrets(values: string[]): Map<string, object> {
  return new Map(
    values.map((value) => {
      const [name, text] = split('--secret', value, 'NAME=JSON');
      return [name, parseObject(name, text.startsWith('@') ? readValue(name, text.slice(1)) : text)];
    }),
  );
}

function split(option: string, value: string, form: string): [string, string] {
  const at = value.indexOf('=');
  if (at < 1) {
    throw new UserError(
      `${option} wants ${form}, as in ${option} ${form === 'NAME=JSON' ? `my/secret='{"key":"value"}'` : 'GREETING=hello'}.`,
    );
  }
  return [value.slice(0, at), value.slice(at + 1)];
}

function readValue(name: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new UserError(
      `--secret ${name}=@${file}: the file cannot be read (${(error as NodeJS.ErrnoException).code}).`,
    );
  }
}

/** The value itself is left out of the message: it is a secret. */
function parseObject(name: string, text: string): object {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new UserError(`--secret ${name}=…: the value is not JSON.`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new UserError(`--secret ${name}=…: the value must be a JSON object, as in '{"key":"value"}'.`);
  }
  return value;
}
