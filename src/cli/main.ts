/** The command line: picks a command, reads its arguments, turns errors into one sentence and an exit status. */
import { Stopped, UserError } from '../errors';
import { VERSION } from '../run/version';
import { type Command, type Context, helpText, INTERRUPTED, readArgs } from './command';
import { analyse } from './commands/analyse';
import { bench } from './commands/bench';
import { cost } from './commands/cost';
import { data } from './commands/data';
import { demo } from './commands/demo';
import { evaluate } from './commands/eval';
import { experiment } from './commands/experiment';
import { exportCommand } from './commands/export';
import { exportRecipe } from './commands/export-recipe';
import { inspect } from './commands/inspect';
import { lr } from './commands/lr';
import { merge } from './commands/merge';
import { networks } from './commands/networks';
import { plan } from './commands/plan';
import { predict } from './commands/predict';
import { profile } from './commands/profile';
import { report } from './commands/report';
import { start } from './commands/start';
import { train } from './commands/train';
import { verify } from './commands/verify';
import { openEngine } from './hosts/open';
import { type ProcessEnd, watchProcess } from './process-end';
import { printable, progressLine } from './progress';

export const commands: Record<string, Command> = {
  train,
  lr,
  eval: evaluate,
  predict,
  analyse,
  merge,
  export: exportCommand,
  experiment,
  'export-recipe': exportRecipe,
  report,
  verify,
  plan,
  cost,
  networks,
  inspect,
  data,
  bench,
  profile,
  demo,
  start,
};

function overview(): string {
  const all = Object.values(commands);
  const width = Math.max(...all.map(({ usage }) => usage.length));
  const rows = all.map(({ usage, summary }) => `  ${usage.padEnd(width)}  ${summary}`);
  return [
    'refocus COMMAND [options]: trains small convolutional networks with RefConv on WebGPU.',
    '',
    ...rows,
    '',
    '`refocus COMMAND --help` lists the options of a command.',
  ].join('\n');
}

/**
 * Runs one command.
 * @returns the exit status: 0 done, 1 ran but failed its check, 2 wrong input or an error, 130 stopped
 */
export async function run(argv: string[], context: Context): Promise<number> {
  const [name, ...rest] = argv;
  try {
    if (name === undefined) throw new UserError(`Name a command.\n\n${overview()}`);
    if (name === '--version' || name === '-v') {
      context.out(VERSION);
      return 0;
    }
    const asksHelp = name === '--help' || name === '-h' || name === 'help';
    if (asksHelp && rest.length === 0) {
      context.out(overview());
      return 0;
    }
    if (asksHelp) return run([rest[0], '--help'], context);
    const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
    if (!command) {
      throw new UserError(`Unknown command "${name}"; the commands are ${Object.keys(commands).join(', ')}.`);
    }
    if (rest.includes('--help') || rest.includes('-h')) {
      context.out(helpText(command));
      return 0;
    }
    return await command.run(readArgs(name, command, rest), context);
  } catch (error) {
    context.progress('');
    context.note(error instanceof UserError ? error.message : describeBug(error));
    return error instanceof Stopped ? INTERRUPTED : 2;
  }
}

/** What is no UserError is a mistake of ours: its stack helps to report it. */
function describeBug(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** Runs one command in this process, with the page built into `pageFolder`, and ends the process. */
export async function main(argv: string[], pageFolder: string): Promise<void> {
  const end = watchProcess(process);
  end.exit(await run(argv, processContext(pageFolder, end)));
}

function processContext(pageFolder: string, end: ProcessEnd): Context {
  const line = progressLine(process.stderr);
  return {
    pageFolder,
    out: (text) => process.stdout.write(`${printable(text)}\n`),
    note: line.note,
    progress: line.show,
    openEngine: (options) => openEngine({ ...options, pageFolder, note: line.note }),
    onInterrupt: end.beforeIt,
  };
}
