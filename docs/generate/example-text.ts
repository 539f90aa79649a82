import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const examples = join(import.meta.dirname, '../../examples');
const mark = /<!-- example: (\S+) -->[\s\S]*?<!-- end of example -->/g;

/** Puts examples behind their marks in a page: `<!-- example: hello.yml -->` to `<!-- end of example -->`. */
export function withExamples(page: string): string {
  return page.replace(mark, (_, name: string) => {
    const text = taskText(readFileSync(join(examples, name), 'utf8'));
    return `<!-- example: ${name} -->\n\n\`\`\`yaml\n${text}\`\`\`\n\n<!-- end of example -->`;
  });
}

/** An example without what a page says in other words: its first comment and its metadata. */
function taskText(file: string): string {
  return file.replace(/^(#.*\n)+/, '').replace(/^metadata:\n(^ .*\n)+/m, '');
}
