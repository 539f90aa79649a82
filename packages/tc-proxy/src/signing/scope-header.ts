/** Longest value of a header that lists scopes: Node's HTTP client takes 16 KiB for all headers together. */
const maxLength = 4_096;

/**
 * Scopes as a JSON array for a response header. A list that is too long keeps its first scopes and ends
 * with an entry that says how many are left out.
 */
export function scopeHeader(scopes: readonly string[]): string {
  const whole = asciiJson(scopes);
  if (whole.length <= maxLength) return whole;

  const shown: string[] = [];
  let length = 2;
  for (const scope of scopes) {
    length += asciiJson(scope).length + 1;
    // Room for the closing entry.
    if (length > maxLength - 40) break;
    shown.push(scope);
  }
  return asciiJson([...shown, `... and ${scopes.length - shown.length} more scopes`]);
}

/** JSON in which every character can stand in a header. */
function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[\u007f-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
