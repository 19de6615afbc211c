/** The engine in a worker of its own: the page never waits for it. */
import * as Comlink from 'comlink';
import { createEngine } from '../engine';
import { UserError } from '../errors';

/** The worker's name is the address below which the files of public/ lie (see client.ts). */
async function asset(name: string): Promise<ArrayBuffer> {
  const response = await fetch(new URL(name, self.name));
  if (!response.ok) throw new UserError(`${name} did not load (${response.status}); reload the page.`);
  return response.arrayBuffer();
}

Comlink.expose(createEngine({ asset }));
