/**
 * A slow machine, for finding tests that do not wait: REFOCUS_SLOW=4 gives pages a quarter of the processor, scripts that
 * come late, and a fake engine that answers late.
 */
import { setTimeout } from 'node:timers/promises';
import type { Page } from 'playwright-core';

const rate = Number(process.env.REFOCUS_SLOW ?? 1);

const SCRIPT_MS = { least: 300, most: 800 };

/** what comes before the fake engine: its messages are sent late, in their order */
export const lateAnswers =
  rate > 1
    ? `{
  const post = self.postMessage.bind(self);
  let last = Promise.resolve();
  self.postMessage = (...message) => {
    const due = new Promise((resolve) => setTimeout(resolve, 150));
    last = last.then(() => due).then(() => post(...message));
  };
}
`
    : '';

/** Slows a page down that is not open yet. */
export async function slowDown(page: Page): Promise<void> {
  if (rate <= 1) return;
  const isScript = (url: URL) => /\/assets\/(?!worker-).*\.js$/.test(url.pathname);
  await page.route(isScript, async (route) => {
    await setTimeout(SCRIPT_MS.least + Math.random() * (SCRIPT_MS.most - SCRIPT_MS.least));
    // a page that is closed by now needs none
    await route.fallback().catch(() => {});
  });
  const session = await page.context().newCDPSession(page);
  await session.send('Emulation.setCPUThrottlingRate', { rate });
}
