import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { UserError } from '../../user-error.ts';
import type { TemplateContext } from '../task-file/render-template.ts';

/**
 * What `--context` arguments say, later ones before earlier ones: `NAME=VALUE`, whose value is a text, or a YAML or JSON file
 * with a mapping. Nothing if there are none.
 */
export function readContext(values: string[]): TemplateContext | undefined {
  return values.length === 0 ? undefined : Object.assign({}, ...values.map(contextOf));
}

function contextOf(value: string): TemplateContext {
  const [, name, text = ''] = /^([A-Za-z_]\w*)=(.*)$/s.exec(value) ?? [];
  return name === undefined ? contextOfFile(value) : { [name]: text };
}

function contextOfFile(file: string): TemplateContext {
  let content: unknown;
  try {
    content = parse(readFileSync(file, 'utf8'), { prettyErrors: false });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new UserError(
      `--context ${file}: ${code === undefined || code === 'BAD_INDENT' ? message : `cannot be read (${code})`}; give NAME=VALUE, or a YAML or JSON file`,
    );
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    throw new UserError(`--context ${file}: the file must hold a mapping of names to values`);
  }
  return content as TemplateContext;
}
