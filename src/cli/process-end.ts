/** How the process ends when it is told to: by a signal, or because nobody reads what it prints. */
import { constants } from 'node:os';
import { INTERRUPTED } from './command';
import { printable } from './progress';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** npm passes on the interrupt that the terminal has already sent: two within this time are one, milliseconds. */
const TOGETHER_MS = 500;

/** As much of `process` as this file needs; tests hand in another. */
export interface EndingProcess {
  pid: number;
  on(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown;
  once(event: 'exit', listener: () => void): unknown;
  removeAllListeners(signal: NodeJS.Signals): unknown;
  kill(pid: number, signal: NodeJS.Signals): unknown;
  exit(code: number): void;
  stdout: PipeEnd & {
    write(text: string, callback: (error?: NodeJS.ErrnoException | null) => void): unknown;
  };
  stderr: PipeEnd & { write(text: string): unknown };
}

interface PipeEnd {
  on(event: 'error', listener: (error: NodeJS.ErrnoException) => void): unknown;
}

export interface ProcessEnd {
  /**
   * While a command has work to save: the first signal calls back instead of ending the process.
   * @param kept what is there all the same where a second one ends it, for the last sentence
   * @returns what takes the callback off again
   */
  beforeIt(callback: () => void, kept?: () => string | undefined): () => void;
  /** Ends the process, a command that was stopped with the status of its signal, as soon as all that it printed is out. */
  exit(status: number): void;
}

const statusOf = (signal: NodeJS.Signals): number => 128 + constants.signals[signal];

/**
 * A signal ends the process with one sentence and the shell's status for it, or asks the command to save its work; a
 * second one ends at once. A reader that has gone (`refocus verify DIR | head -1`) ends it without a word, as other
 * programs do, unless there is work to save, which goes on unheard. A full disk below stdout is told, and ends it with 2.
 */
export function watchProcess(ending: EndingProcess): ProcessEnd {
  let work: { save: () => void; kept?: () => string | undefined } | undefined;
  let asked: { signal: NodeJS.Signals; at: number } | undefined;
  let lost: NodeJS.ErrnoException | undefined;
  const end = (signal: (typeof SIGNALS)[number]) => {
    const again = asked !== undefined;
    if (asked && performance.now() - asked.at < TOGETHER_MS) return;
    asked ??= { signal, at: performance.now() };
    if (work && !again) return work.save();
    const kept = work?.kept?.();
    ending.stderr.write(`Stopped.${kept ? ` ${printable(kept)}` : ''}\n`);
    // by the signal itself, behind all that others do at the end: unloading Dawn while its threads work may crash
    ending.removeAllListeners(signal);
    ending.once('exit', () => ending.kill(ending.pid, signal));
    ending.exit(statusOf(signal));
  };
  for (const signal of SIGNALS) ending.on(signal, () => end(signal));
  const leave = (status: number) => {
    if (lost) ending.stderr.write(`What was printed could not be written (${lost.code ?? lost.message}).\n`);
    ending.exit(lost ? 2 : status);
  };
  const failed = (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') lost ??= error;
  };
  ending.stdout.on('error', failed);
  for (const pipe of [ending.stdout, ending.stderr]) {
    pipe.on('error', (error) => {
      if (!work) leave(error.code === 'EPIPE' ? statusOf('SIGPIPE') : 2);
    });
  }
  return {
    beforeIt(save, kept) {
      work = { save, kept };
      return () => {
        work = undefined;
      };
    },
    exit(status) {
      // Dawn's devices would keep the process alive; what was printed must still reach a pipe first
      ending.stdout.write('', (error) => {
        if (error) failed(error);
        leave(status === INTERRUPTED && asked ? statusOf(asked.signal) : status);
      });
    },
  };
}
