import { EventEmitter } from 'node:events';
import { beforeEach, expect, test, vi } from 'vitest';
import { watchProcess } from '../../../src/cli/process-end';

/** A process that writes down what happens to it. */
class FakeProcess extends EventEmitter {
  exits: number[] = [];
  kills: unknown[] = [];
  pid = 7;
  said: string[] = [];
  written: NodeJS.ErrnoException | null = null;
  stdout = Object.assign(new EventEmitter(), {
    write: (_: string, callback: (error: NodeJS.ErrnoException | null) => void) => callback(this.written),
  });
  stderr = Object.assign(new EventEmitter(), { write: (text: string) => this.said.push(text) });
  exit = (code: number) => {
    this.exits.push(code);
    this.emit('exit');
  };
  kill = (pid: number, signal: string) => this.kills.push([pid, signal, this.listenerCount(signal)]);
}

let fake: FakeProcess;
let now = 0;
beforeEach(() => {
  fake = new FakeProcess();
  vi.spyOn(performance, 'now').mockImplementation(() => now);
});

const full = Object.assign(new Error('write ENOSPC'), { code: 'ENOSPC' });
const gone = Object.assign(new Error('write EPIPE'), { code: 'EPIPE' });

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const)('%s without work to save: one sentence and the status of the signal', (signal, status) => {
  watchProcess(fake);
  fake.emit(signal, signal);
  expect(fake.said).toEqual(['Stopped.\n']);
  expect(fake.exits).toEqual([status]);
  expect(fake.kills, 'ended by the signal, which nothing listens to any more').toEqual([[7, signal, 0]]);
});

test('the first signal saves the work, the second ends at once, two at the same moment are one', () => {
  let saved = 0;
  watchProcess(fake).beforeIt(() => saved++);
  now = 1000;
  fake.emit('SIGINT');
  now = 1010;
  fake.emit('SIGINT');
  expect([saved, fake.exits]).toEqual([1, []]);
  now = 3000;
  fake.emit('SIGTERM');
  expect([saved, fake.exits]).toEqual([1, [143]]);
});

test('a signal after the work is saved ends the process', () => {
  let saved = 0;
  watchProcess(fake).beforeIt(() => saved++)();
  fake.emit('SIGINT');
  expect([saved, fake.exits]).toEqual([0, [130]]);
});

test.each(['stdout', 'stderr'] as const)('nobody reads %s: a command ends quietly, a run goes on', (pipe) => {
  const release = watchProcess(fake).beforeIt(() => {});
  fake[pipe].emit('error', gone);
  expect(fake.exits).toEqual([]);
  release();
  fake[pipe].emit('error', gone);
  expect([fake.exits, fake.said]).toEqual([[141], []]);
});

test.each(['stdout', 'stderr'] as const)(
  '%s takes no more: exit 2, and a sentence for what is lost',
  (pipe) => {
    watchProcess(fake);
    fake[pipe].emit('error', full);
    const sentence = 'What was printed could not be written (ENOSPC).\n';
    expect([fake.exits, fake.said]).toEqual([[2], pipe === 'stdout' ? [sentence] : []]);
  },
);

test('what the last write or an earlier one lost ends a command with 2, a reader that has gone does not', () => {
  fake.written = full;
  watchProcess(fake).exit(0);
  fake.written = null;
  fake.stdout.removeAllListeners();
  const end = watchProcess(fake);
  const release = end.beforeIt(() => {});
  fake.stdout.emit('error', full);
  release();
  end.exit(0);
  fake.written = gone;
  fake.stdout.removeAllListeners();
  watchProcess(fake).exit(0);
  expect(fake.exits).toEqual([2, 2, 0]);
});

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const)(
  '%s with work to save: a command that was stopped has the status of the signal',
  (signal, status) => {
    const end = watchProcess(fake);
    const release = end.beforeIt(() => {});
    fake.emit(signal, signal);
    release();
    end.exit(130);
    end.exit(0);
    expect(fake.exits, 'one that came to its end all the same has its own').toEqual([status, 0]);
  },
);

test('the second signal says what is kept', () => {
  watchProcess(fake).beforeIt(
    () => {},
    () => 'Go on: a\u001b',
  );
  fake.emit('SIGINT');
  now += 3000;
  fake.emit('SIGINT');
  expect(fake.said).toEqual(['Stopped. Go on: a\uFFFD\n']);
});
