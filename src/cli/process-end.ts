/** How the process ends when it is told to: by a signal, or because nobody reads what it prints. */
import { constants } from 'node:os';

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
  stdout: PipeEnd;
  stderr: PipeEnd & { write(text: string): unknown };
}

interface PipeEnd {
  on(event: 'error', listener: (error: NodeJS.ErrnoException) => void): unknown;
}

export interface ProcessEnd {
  /**
   * While a command has work to save: the first signal calls back instead of ending the process.
   * @returns what takes the callback off again
   */
  beforeIt(callback: () => void): () => void;
}

/**
 * A signal ends the process with one sentence and the shell's status for it, or asks the command to save its work; a
 * second one ends at once. A reader that has gone (`refocus verify DIR | head -1`) ends it without a word, as other
 * programs do, unless there is work to save, which goes on unheard.
 */
export function watchProcess(ending: EndingProcess): ProcessEnd {
  let save: (() => void) | undefined;
  let asked: number | undefined;
  const end = (signal: (typeof SIGNALS)[number]) => {
    const again = asked !== undefined;
    if (again && performance.now() - asked! < TOGETHER_MS) return;
    asked ??= performance.now();
    if (save && !again) return save();
    ending.stderr.write('Stopped.\n');
    // by the signal itself, behind all that others do at the end: unloading Dawn while its threads work may crash
    ending.removeAllListeners(signal);
    ending.once('exit', () => ending.kill(ending.pid, signal));
    ending.exit(128 + constants.signals[signal]);
  };
  for (const signal of SIGNALS) ending.on(signal, () => end(signal));
  for (const pipe of [ending.stdout, ending.stderr]) {
    pipe.on('error', (error) => {
      if (save) return;
      if (error.code === 'EPIPE') ending.exit(128 + constants.signals.SIGPIPE);
      else throw error;
    });
  }
  return {
    beforeIt(callback) {
      save = callback;
      return () => {
        save = undefined;
      };
    },
  };
}
