/** What the tests do with a run of the page. */
import type { Page } from 'playwright-core';
import { CHECKPOINT_FILES } from '../../src/run/checkpoint-file';

/** A run that does not end while a test has still to do with it, however slow the machine is. */
export const LONG = '#epochs=500';

export const start = (page: Page) => page.getByRole('button', { name: 'Start training' }).click();

export const finish = (page: Page) => page.getByRole('heading', { name: /^The merge is/ }).waitFor();

/** the steps that the page says are done */
export const stepOf = (page: Page) =>
  page.evaluate(() =>
    Number.parseInt(document.querySelector('.figures dd')?.textContent?.replaceAll(',', '') ?? '0', 10),
  );

/** Waits until the page has passed that step. By the clock, not by frames: a tab beside another one may not be painted. */
export const reach = (page: Page, step: number) =>
  page.waitForFunction(
    (wanted) => {
      const shown = document.querySelector('.figures dd')?.textContent ?? '';
      return Number.parseInt(shown.replaceAll(',', ''), 10) >= wanted;
    },
    step,
    { polling: 50 },
  );

/**
 * Waits until storage holds what a run goes on from, which on a slow machine comes long after the step that the page shows: two
 * checkpoints, of which the first is whole.
 */
export const kept = (page: Page) =>
  page.waitForFunction(
    async (checkpoints) => {
      const root = await navigator.storage.getDirectory();
      const runs = await root.getDirectoryHandle('refocus-runs', { create: true });
      for await (const folder of runs.values()) {
        if (folder.kind !== 'directory') continue;
        const full: string[] = [];
        for await (const file of (folder as FileSystemDirectoryHandle).values())
          if (file.kind === 'file' && (await (file as FileSystemFileHandle).getFile()).size > 0)
            full.push(file.name);
        if (full.includes('job.json') && checkpoints.every((name) => full.includes(name))) return true;
      }
      return false;
    },
    [...CHECKPOINT_FILES],
    { polling: 100 },
  );
