import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Claims } from '../../../src/cli/experiment/claims';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'refocus-claims-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A claim as another process leaves it. */
function claim(name: string, owner: object | string, ageSeconds = 0) {
  const file = join(folder, name);
  writeFileSync(file, typeof owner === 'string' ? owner : JSON.stringify(owner));
  const then = new Date(Date.now() - ageSeconds * 1000);
  utimesSync(file, then, then);
}

/** The parent lives as long as this test. */
const living = { pid: process.ppid, host: hostname(), token: 'a' };
const gone = () => ({ pid: spawnSync('true').pid, host: hostname(), token: 'a' });

test('a cell is one process’, until that lets go of it', () => {
  const claims = new Claims(folder);
  const release = claims.take('runs/a-seed1')!;
  expect(claims.isTaken('runs/a-seed1')).toBe(true);
  expect(claims.take('runs/a-seed1')).toBeUndefined();
  // no other cell, though its name begins so
  expect(claims.isTaken('runs/a-seed11')).toBe(false);
  claims.take('runs/a-seed11')!();
  release();
  expect(claims.isTaken('runs/a-seed1')).toBe(false);
  claims.take('runs/a-seed1')!();
  expect(readdirSync(folder)).toEqual([]);
});

test('that of a living process is left alone, whatever machine it is on', () => {
  const claims = new Claims(folder);
  claim('runs_a.1.claim', living);
  claim('runs_b.1.claim', { pid: 1, host: 'elsewhere', token: 'a' }, 60);
  claim('runs_c.1.claim', '');
  for (const cell of ['runs/a', 'runs/b', 'runs/c']) expect(claims.take(cell)).toBeUndefined();
});

test('that of a process that is gone, or silent for minutes, is taken over once', () => {
  const [one, other] = [new Claims(folder), new Claims(folder)];
  claim('runs_a.1.claim', gone());
  claim('runs_b.3.claim', living, 300);
  claim('runs_c.1.claim', '', 300);
  // an earlier process of this number, as in a container that is started again
  claim('runs_d.1.claim', { pid: process.pid, host: hostname(), token: 'a' });
  for (const cell of ['runs/a', 'runs/b', 'runs/c', 'runs/d']) {
    expect(one.isTaken(cell)).toBe(false);
    expect(one.take(cell)).toBeDefined();
    expect(other.take(cell)).toBeUndefined();
  }
  expect(readdirSync(folder).sort()).toContain('runs_b.4.claim');
});
