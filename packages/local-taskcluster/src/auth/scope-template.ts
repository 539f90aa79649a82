/**
 * A scope expression with `<parameters>`, written as in Taskcluster's API references, for instance
 * `{AllOf: [{for: 'route', in: 'routes', each: 'queue:route:<route>'}, 'queue:scheduler-id:<schedulerId>']}`.
 */
export type ScopeTemplate =
  | string
  | { AllOf: readonly ScopeTemplate[] }
  | { AnyOf: readonly ScopeTemplate[] }
  | { for: string; in: string; each: string };

export type ScopeExpression = string | { AllOf: ScopeExpression[] } | { AnyOf: ScopeExpression[] };

export type ScopeParameters = Record<string, string | readonly string[]>;

/** Replaces the parameters. Throws when one is not given: that is a mistake in the endpoint. */
export function renderScopes(template: ScopeTemplate, parameters: ScopeParameters): ScopeExpression {
  if (typeof template === 'string') return fill(template, parameters);
  if ('for' in template) return { AllOf: renderEach(template, parameters) };
  if ('AnyOf' in template) return { AnyOf: renderList(template.AnyOf, parameters) };
  return { AllOf: renderList(template.AllOf, parameters) };
}

/** A loop inside a list adds its scopes to that list, so that `AnyOf` of a loop needs only one of them. */
function renderList(templates: readonly ScopeTemplate[], parameters: ScopeParameters): ScopeExpression[] {
  return templates.flatMap((template) =>
    typeof template === 'object' && 'for' in template
      ? renderEach(template, parameters)
      : renderScopes(template, parameters),
  );
}

function renderEach(loop: { for: string; in: string; each: string }, parameters: ScopeParameters): string[] {
  const values = parameters[loop.in];
  if (!Array.isArray(values)) throw new TypeError(`Scope parameter ${loop.in} must be a list`);
  return values.map((value: string) => fill(loop.each, { ...parameters, [loop.for]: value }));
}

function fill(template: string, parameters: ScopeParameters): string {
  return template.replace(/<([^<>]+)>/g, (_placeholder, name: string) => {
    const value = parameters[name];
    if (typeof value !== 'string') throw new TypeError(`Scope parameter ${name} is missing`);
    return value;
  });
}
