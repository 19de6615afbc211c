import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from 'playwright-core';
import { expect } from 'vitest';

/**
 * No violation of axe's rules in a page, or in a part of it (a selector).
 *
 * Of what passes axe would keep every element, and it would look its results over in a page of its own: without both it takes
 * a quarter of the time, and finds the same.
 */
export async function expectAccessible(
  page: Page,
  { part, message }: { part?: string; message?: string } = {},
) {
  const axe = new AxeBuilder({ page }).options({ resultTypes: ['violations'] }).setLegacyMode();
  const { violations } = await (part ? axe.include(part) : axe).analyze();
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
  expect(found, message).toEqual([]);
}
