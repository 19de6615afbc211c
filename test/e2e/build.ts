/** What Vitest does before the first of these tests: the page is built once for all of them. */
import { rm } from 'node:fs/promises';
import { BUILT, buildSite } from './site';

export default async function setup(): Promise<() => Promise<void>> {
  const built = await buildSite();
  process.env[BUILT] = built;
  return () => rm(built, { recursive: true });
}
