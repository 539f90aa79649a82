/** Names of secrets that scopes let a task read, and that are not given. */
export function missingSecrets(scopes: string[], secrets: ReadonlyMap<string, object>): string[] {
  const names = scopes.flatMap((scope) => /^secrets:get:(.*[^*])$/.exec(scope)?.[1] ?? []);
  return [...new Set(names)].filter((name) => !secrets.has(name));
}

export function missingSecretText(name: string): string {
  return `the secret ${name}, which it may read, is not here; give it by --secret '${name}={"key":"value"}'`;
}
