import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { run } from '../../../src/cli/main';
import { writeSafetensors } from '../../../src/io/safetensors';
import { initialState } from '../../../src/model/init';
import { createModel } from '../../../src/model/zoo';
import { HubServer, sum } from '../remote/hub-server';
import { fakeContext } from './fake';

let server: HubServer;
let folder: string;
beforeEach(async () => {
  server = await new HubServer().open();
  folder = await mkdtemp(join(tmpdir(), 'refocus-cli-'));
  vi.stubEnv('HF_ENDPOINT', server.hub);
  vi.stubEnv('HF_TOKEN', 'hf_secret');
  vi.stubEnv('REFOCUS_CACHE', folder);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

const weights = (): Buffer => Buffer.from(writeSafetensors(initialState(createModel('resnet20_cifar'), 0)));

test('weights are named by their address: what comes is told, and the second time nobody is asked', async () => {
  const file = weights();
  server.repositories['me/net'] = { 'model.safetensors': file, 'other.pth': file };
  server.token = 'hf_secret';
  const context = fakeContext();
  expect(await run(['inspect', 'hf:me/net'], context)).toBe(0);
  const said = context.stderr.join('\n');
  expect(said).toContain('model.safetensors of hf:me/net@main is taken (there are other.pth too).');
  expect(said).toMatch(
    /Fetching net\/model\.safetensors, 1\.\d+\sMB, of hf:me\/net@main \(commit 0123456789ab\)\./,
  );
  expect(said).toContain(`net/model.safetensors: SHA-256 ${sum(file)}, as the hub lists it`);
  expect(said).not.toContain('hf_secret');
  await server.close();
  const again = fakeContext();
  expect(await run(['inspect', 'hf:me/net'], again)).toBe(0);
  expect(again.stderr[0]).toContain(
    '(commit 0123456789ab) is taken from the cache, without a request; delete ',
  );
  server = await new HubServer().open();
});

test('what cannot be had is one sentence and status 2, without what stands behind ? in an address', async () => {
  const context = fakeContext();
  expect(await run(['inspect', `${server.storage}/net.pth?key=secret`], context)).toBe(2);
  expect(context.stderr).toEqual([`${server.storage}/net.pth is not there (HTTP 404): check the address.`]);
});
