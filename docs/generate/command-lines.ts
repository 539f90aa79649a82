import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

const main = join(import.meta.dirname, '../../packages/worker/src/main.ts');

/** The help of each command of `docker-worker`, as it prints it. */
export function commandLines(): string {
  const overview = help([]);
  const commands = [...(overview.split('Commands:')[1] ?? '').matchAll(/^ {2}(\S+)/gm)]
    .map(([, name = '']) => name)
    .filter((name) => name !== 'help');
  const sections = commands.map((name) => `## ${name}\n\n${block(help([name]))}`);
  return [block(overview), ...sections].join('\n\n');
}

function help(command: string[]): string {
  const argv = ['--no-warnings', main, ...command, '--help'];
  return execFileSync(process.execPath, argv, { encoding: 'utf8', env: { ...process.env, COLUMNS: '100' } });
}

function block(text: string): string {
  return `\`\`\`text\n${text.trimEnd()}\n\`\`\``;
}
