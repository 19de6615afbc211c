import { EventEmitter } from 'node:events';
import { beforeEach, expect, test, vi } from 'vitest';
import { watchProcess } from '../../../src/cli/process-end';

/** A process that writes down what happens to it. */
class FakeProcess extends EventEmitter {
  exits: number[] = [];
  kills: unknown[] = [];
  pid = 7;
  said: string[] = [];
  stdout = new EventEmitter();
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
