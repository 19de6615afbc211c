import { afterEach, expect, test, vi } from 'vitest';
import { UserError } from '../../../src/errors';
import { readBundled } from '../../../src/io/bundled';

afterEach(() => {
  vi.unstubAllEnvs();
  vi.unstubAllGlobals();
});

const file = {
  inNode: 'refocus/net.safetensors',
  url: async () => ({ default: './assets/net.safetensors' }),
};

test.each([
  ['no connection', () => Promise.reject(new TypeError('Failed to fetch'))],
  ['an answer of 404', async () => new Response('', { status: 404 })],
])('%s names the file and the connection', async (_, fetch) => {
  vi.stubEnv('SSR', false);
  vi.stubGlobal('fetch', fetch);
  const reading = readBundled(file);
  await expect(reading).rejects.toThrow(UserError);
  await expect(reading).rejects.toThrow(
    'net.safetensors did not load: check the connection, then try again.',
  );
});
