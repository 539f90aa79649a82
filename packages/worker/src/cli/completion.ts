import type { Command, Option } from 'commander';
import type { Shell } from './completion-shells.ts';

/** What can stand behind the name of one command; the root has the empty name. */
interface Completions {
  command: string;
  words: { word: string; description: string }[];
  options: { flags: string[]; description: string; choices?: readonly string[]; value?: 'file' | 'other' }[];
  /** Whether its arguments are files. */
  files: boolean;
}

const scripts: Record<Shell, (program: string, all: Completions[]) => string> = { bash, zsh, fish };

/** The completion of a shell for a program, by its table of commands and options. */
export function completionScript(program: Command, shell: Shell): string {
  return scripts[shell](program.name(), completionsOf(program, []));
}

/** Of a command and all below it; those of two words are joined by a blank. */
function completionsOf(command: Command, path: string[]): Completions[] {
  const own: Completions = {
    command: path.join(' '),
    words: command.commands.map((sub) => ({ word: sub.name(), description: sub.description() })),
    options: command.createHelp().visibleOptions(command).map(optionOf),
    files: command.registeredArguments.some((argument) => argument.name() === 'file'),
  };
  for (const { argChoices = [] } of command.registeredArguments) {
    own.words.push(...argChoices.map((word) => ({ word, description: '' })));
  }
  return [own, ...command.commands.flatMap((sub) => completionsOf(sub, [...path, sub.name()]))];
}

function optionOf({ short, long, description, argChoices, required, flags }: Option) {
  const names = [short, long].filter((name) => name !== undefined);
  const value = required ? (/<(file|dir)\b/.test(flags) ? 'file' : 'other') : undefined;
  return { flags: names, description, choices: argChoices, value } as const;
}

/** What has no answer here is completed as a file. */
function bash(program: string, all: Completions[]): string {
  const values = all.flatMap(({ command, options }) =>
    options
      .filter(({ value }) => value !== undefined)
      .flatMap(({ flags, choices = [] }) =>
        flags.map((flag) => `    '${command} ${flag}') words='${choices.join(' ')}' ;;`),
      ),
  );
  const names = all.map(({ command, words, options }) => {
    const flags = options.flatMap((option) => option.flags);
    return `    '${command} '*) words='${[...words.map(({ word }) => word), ...flags].join(' ')}' ;;`;
  });
  const commands = all.slice(1).map(({ command }) => `'${command}'`);
  const name = functionName(program, '');
  return `${name}() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} command= words= next i
  for ((i = 1; i < COMP_CWORD; i++)); do
    next="\${command:+$command }\${COMP_WORDS[i]}"
    case $next in ${commands.join(' | ')}) command=$next ;; esac
  done
  case "$command $before" in
${[...values, ...names.reverse()].join('\n')}
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}
complete -o default -F ${name} ${program}
`;
}

function zsh(program: string, all: Completions[]): string {
  const functions = all.map(({ command, words, options, files }) => {
    const described = options.flatMap(({ flags, description, choices, value }) =>
      flags.map((flag) => {
        const argument =
          value === undefined
            ? ''
            : `:value:${choices ? `(${choices.join(' ')})` : value === 'file' ? '_files' : ''}`;
        return quoted(`*${flag}[${zshText(description)}]${argument}`);
      }),
    );
    const name = functionName(program, command);
    if (words.length === 0) {
      return `${name}() {\n  _arguments -s ${[...described, ...(files ? ["'*:file:_files'"] : [])].join(' \\\n    ')}\n}`;
    }
    const subs = words.map(({ word, description }) => quoted(`${word}:${zshText(description)}`));
    const below = words
      .filter(({ word }) => all.some((other) => other.command === [command, word].join(' ').trim()))
      .map(({ word }) => `    ${word}) ${functionName(program, [command, word].join(' ').trim())} ;;`);
    return `${name}() {
  local -a subs=(${subs.join(' ')})
  local line state
  _arguments -C ${described.join(' \\\n    ')} '1: :->first' '*:: :->rest'
  case $state in
    first) _describe command subs ;;
    rest) case $line[1] in
${below.join('\n')}
    esac ;;
  esac
}`;
  });
  const root = functionName(program, '');
  return `#compdef ${program}\n${functions.join('\n')}\ncompdef ${root} ${program}\n`;
}

function fish(program: string, all: Completions[]): string {
  const lines = all.flatMap(({ command, words, options, files }) => {
    const parts = command.split(' ').filter(Boolean);
    const seen = parts.map((part) => `__fish_seen_subcommand_from ${part}`);
    const none = `not __fish_seen_subcommand_from ${words.map(({ word }) => word).join(' ')}`;
    const begin = (conditions: string[]) =>
      `complete -c ${program}${conditions.length === 0 ? '' : ` -n '${conditions.join('; and ')}'`}`;
    return [
      ...words.map(
        ({ word, description }) => `${begin([...seen, none])} -f -a ${word} -d ${fishText(description)}`,
      ),
      ...options.map(({ flags, description, choices, value }) => {
        const names = flags.map((flag) => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag[1]}`));
        const argument =
          value === undefined
            ? ''
            : choices
              ? ` -x -a '${choices.join(' ')}'`
              : value === 'file'
                ? ' -r -F'
                : ' -x';
        const where = begin(command === '' ? [none] : seen);
        return `${where} ${names.join(' ')} -d ${fishText(description)}${argument}`;
      }),
      ...(command !== '' && !files && words.length === 0 ? [`${begin(seen)} -f`] : []),
    ];
  });
  return `${lines.join('\n')}\n`;
}

function functionName(program: string, command: string): string {
  return `_${identifier([program, command].join(' ').trim())}`;
}

function identifier(text: string): string {
  return text.replace(/\W/g, '_');
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function zshText(text: string): string {
  return text.replace(/[[\]:\\]/g, '\\$&');
}

function fishText(text: string): string {
  return `'${text.replace(/['\\]/g, '\\$&')}'`;
}
