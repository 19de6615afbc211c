/** What a command is, and the one way to read its arguments. */
import { parseArgs } from 'node:util';
import type { EngineApi } from '../api';
import { UserError } from '../errors';

/** The shell's status of a program that Ctrl-C ends; where another signal did, the process ends with that one's. */
export const INTERRUPTED = 130;

/** An open engine, wherever it runs. */
export interface OpenEngine {
  api: EngineApi;
  close(): Promise<void>;
}

/** What a command may touch of the world; tests hand in another. */
export interface Context {
  /** folder of the built page */
  pageFolder: string;
  /** one line on stdout */
  out(line: string): void;
  /** one line on stderr */
  note(line: string): void;
  /** replaces the progress line on stderr; the empty text removes it */
  progress(text: string): void;
  /** the engine in the host that `--runtime` names */
  openEngine(options: HostOptions): Promise<OpenEngine>;
  /**
   * Calls back on the first interrupt; the second one quits and says what `kept` gives. Returns what takes the listener off again.
   */
  onInterrupt(callback: () => void, kept?: () => string | undefined): () => void;
}

export interface HostOptions {
  /** browser, node or auto */
  host: string;
  /** download or install a browser where none is found */
  install?: boolean;
}

export interface OptionSpec {
  type: 'string' | 'boolean';
  multiple?: boolean;
  help: string;
  /** shown in the help after the name, for example `N` */
  value?: string;
  /** the default, shown in the help; a flag with one can be switched off by `--no-` */
  fallback?: string;
  /** the heading that a long help text shows it below */
  group?: string;
}

export type OptionTable = Record<string, OptionSpec>;

/** Parsed arguments: text by option name, `true` or `false` for flags, arrays for repeated options. */
export interface Args {
  values: Record<string, string | boolean | string[] | undefined>;
  positionals: string[];
}

export interface Command {
  /** the usage line after `refocus `, for example `verify DIR` */
  usage: string;
  /** one line on what it does */
  summary: string;
  /** names of the positional arguments, all needed; a last one that ends in `...` takes one or more */
  positionals: string[];
  options: OptionTable;
  /** returns the exit status */
  run(args: Args, context: Context): Promise<number>;
}

/** The text of an option, or undefined. */
export function text(args: Args, name: string): string | undefined {
  const value = args.values[name];
  return typeof value === 'string' ? value : undefined;
}

/** The texts of an option that may come more than once. */
export function texts(args: Args, name: string): string[] {
  const value = args.values[name];
  return Array.isArray(value) ? value : [];
}

/**
 * Reads a command's arguments.
 * @throws UserError on an unknown option, a missing value or too few or many positional arguments
 */
export function readArgs(name: string, command: Command, argv: string[]): Args {
  const options = Object.fromEntries(
    Object.entries(command.options).map(([key, { type, multiple }]) => [
      key,
      { type, multiple: multiple ?? false },
    ]),
  );
  const config = {
    args: joinNegative(argv),
    options,
    allowPositionals: true,
    allowNegative: true,
    strict: true,
  };
  let parsed: ReturnType<typeof parseArgs>;
  try {
    parsed = parseArgs(config);
  } catch (error) {
    throw argumentError(name, error, Object.keys(command.options));
  }
  const { positionals } = parsed;
  for (const [option, value] of Object.entries(parsed.values)) {
    if ([value].flat().includes(''))
      throw new UserError(`--${option} needs a value; see \`refocus ${name} --help\`.`);
  }
  if (positionals.length < command.positionals.length) {
    const missing = command.positionals[positionals.length].replace('...', '');
    throw new UserError(`${missing} is missing: \`refocus ${command.usage}\`.`);
  }
  const takesMore = command.positionals.at(-1)?.endsWith('...');
  if (!takesMore && positionals.length > command.positionals.length) {
    const extra = positionals[command.positionals.length];
    const named = ['weights', 'data', 'test'].filter((option) => option in command.options);
    const how = named.length > 0 ? `: files are named by ${named.map((o) => `--${o}`).join(', ')}` : '';
    throw new UserError(`Unexpected argument "${extra}"${how}; see \`refocus ${name} --help\`.`);
  }
  return { values: parsed.values as Args['values'], positionals };
}

/** `--lr -1` means `--lr=-1`; parseArgs would call it ambiguous and hide the real mistake. */
function joinNegative(argv: string[]): string[] {
  const joined: string[] = [];
  for (const arg of argv) {
    const before = joined.at(-1);
    if (/^-[\d.]/.test(arg) && before?.startsWith('--') && !before.includes('=')) {
      joined[joined.length - 1] = `${before}=${arg}`;
    } else joined.push(arg);
  }
  return joined;
}

/** Whether a name begins a known one, or one of them has all words of the other: `size` and `image-size`. */
function isNear(given: string, known: string): boolean {
  const [less, more] = [given.split('-'), known.split('-')].sort((a, b) => a.length - b.length);
  return given.length > 1 && (known.startsWith(given) || less.every((word) => more.includes(word)));
}

function argumentError(command: string, error: unknown, known: readonly string[]): unknown {
  if (!(error instanceof Error) || !('code' in error)) return error;
  const option = /(--?[^\s'"=<,]+)/.exec(error.message)?.[1] ?? 'An option';
  const help = `see \`refocus ${command} --help\``;
  if (error.code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION') {
    const near = known.find((name) => isNear(option.slice(2), name));
    return new UserError(`Unknown option ${option}${near ? `: is it --${near}?` : `; ${help}.`}`);
  }
  if (error.code === 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE') {
    const needless = error.message.includes('does not take an argument');
    return new UserError(
      needless ? `${option} takes no value; ${help}.` : `${option} needs a value; ${help}.`,
    );
  }
  return error;
}

/** Options from which on a help text has headings. */
const MANY = 20;

/** The help of one command. */
export function helpText(command: Command): string {
  const options: [string, OptionSpec][] = [
    ...Object.entries(command.options),
    ['help', { type: 'boolean', help: 'this text' }],
  ];
  // those without a heading first
  const groups = new Map<string, string[]>([['', []]]);
  for (const [name, spec] of options) {
    const group = options.length >= MANY ? (spec.group ?? '') : '';
    groups.set(group, [...(groups.get(group) ?? []), ...optionLines(name, spec)]);
  }
  const lines = [...groups].flatMap(([group, rows]) => ['', ...(group ? [`${group}:`] : []), ...rows]);
  return [`refocus ${command.usage}`, '', ...wrap(command.summary, 0), ...lines].join('\n');
}

/** An option and what it does, side by side; an option with many values has a line of its own. */
function optionLines(name: string, { type, value, help, fallback }: OptionSpec): string[] {
  const negatable = type === 'boolean' && fallback !== undefined;
  const head = `  --${negatable ? '[no-]' : ''}${name}${type === 'string' ? ` ${value ?? 'X'}` : ''}`;
  const lines = wrap(fallback === undefined ? help : `${help} (${fallback})`, HELP_COLUMN);
  if (head.length > HELP_COLUMN - 2) return [head, ...lines];
  return [head.padEnd(HELP_COLUMN) + lines[0].slice(HELP_COLUMN), ...lines.slice(1)];
}

const HELP_COLUMN = 30;
const WIDTH = 100;

/** Lines of whole words, indented. */
function wrap(text: string, indent: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line && indent + line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = word;
    } else line = line ? `${line} ${word}` : word;
  }
  return [...lines, line].map((part) => ' '.repeat(indent) + part);
}
