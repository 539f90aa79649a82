import type { Document, LineCounter, YAMLError } from 'yaml';

/** As `line:column: text`; of errors only the first, since most others follow from it. */
export function syntaxErrors(document: Document.Parsed, source: string, lines: LineCounter): string[] {
  const first = document.errors.toSorted((a, b) => a.pos[0] - b.pos[0])[0];
  if (first !== undefined && /^\s*\{\s*"/.test(source)) {
    return [jsonError(source) ?? located(first)];
  }
  return (first === undefined ? document.warnings : [first]).map(located);

  function located({ message, pos: [offset] }: YAMLError): string {
    const { line, col } = lines.linePos(offset);
    return `${line}:${col}: not valid YAML: ${message}`;
  }
}

/** What is wrong with JSON, of which a YAML parser gives a strange account. */
function jsonError(source: string): string | undefined {
  try {
    JSON.parse(source);
  } catch (error) {
    const match = /^(.*) in JSON at position \d+ \(line (\d+) column (\d+)\)$/.exec((error as Error).message);
    return match === null ? undefined : `${match[2]}:${match[3]}: not valid JSON: ${match[1]}`;
  }
  return undefined;
}
