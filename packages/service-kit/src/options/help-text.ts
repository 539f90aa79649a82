import type { AnyOptionTable, Option } from './option-table.ts';

export interface HelpSubject {
  name: string;
  description: string;
  options: AnyOptionTable;
}

/** The text of `--help`: each option with its variable and its default. */
export function helpText({ name, description, options }: HelpSubject): string {
  const all = Object.values(options).filter((option) => option !== undefined);
  const positional = all.filter((option) => option.positional);
  const flags = all.filter((option) => option.flag);
  const usage = ['Usage:', name, '[options]', ...positional.map((option) => `[${option.placeholder}...]`)];
  return [
    usage.join(' '),
    '',
    description,
    '',
    ...section(
      'Arguments',
      positional.map((option) => ({ left: `${option.placeholder}`, right: option.description })),
    ),
    ...section('Options', [
      ...flags.map((option) => ({ left: flagText(option), right: descriptionText(option) })),
      ...ownFlags,
    ]),
  ].join('\n');
}

const ownFlags = [
  {
    left: '    --control stdin',
    right: 'Take configuration and credentials from standard input, as the worker does.',
  },
  {
    left: '    --check-config',
    right: 'Say whether the options are valid, open nothing, and exit with 0 or 1.',
  },
  { left: '    --healthcheck', right: 'Ask the running service whether it is alive; exits 0 or 1.' },
  { left: '-h, --help', right: 'Show this text.' },
  { left: '    --version', right: 'Show the version and the source revision.' },
  { left: '    --short-version', right: 'Show the version alone.' },
];

function section(title: string, rows: { left: string; right: string }[]): string[] {
  if (rows.length === 0) return [];
  const width = Math.max(...rows.map(({ left }) => left.length));
  return [`${title}:`, ...rows.map(({ left, right }) => `  ${left.padEnd(width)}  ${right}`), ''];
}

function flagText(option: Option): string {
  const short = option.short ? `-${option.short}, ` : '    ';
  if (option.boolean) return `${short}--[no-]${option.flag}`;
  return `${short}--${option.flag} ${option.placeholder ?? '<value>'}`;
}

function descriptionText(option: Option): string {
  const shown =
    option.standaloneDefault === undefined ? option.shownDefault : String(option.standaloneDefault);
  return [
    option.description,
    option.env ? ` [$${option.env}]` : '',
    shown === undefined ? '' : ` (default: ${shown})`,
  ].join('');
}
