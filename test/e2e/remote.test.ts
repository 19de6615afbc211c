import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bytesOf, COMMIT, HubServer, sum } from '../unit/remote/hub-server';
import { openSite, type Site } from './site';

let site: Site;
let server: HubServer;
beforeAll(async () => {
  [site, server] = await Promise.all([openSite(), new HubServer().open()]);
});
afterAll(async () => {
  await site.close();
  await server.close();
});

test('a file from elsewhere: nothing is asked before a click, it goes on after a break, and is kept', async () => {
  const file = bytesOf(3_000_000);
  server.stored['/net.safetensors'] = file;
  server.breaks = [1_000_000];
  const page = await site.open();
  await page.getByLabel('Your own', { exact: true }).check();
  await page.getByText('Weights or images from the hub').click();
  await page.locator('#address').fill(`${server.storage}/net.safetensors`);
  expect(server.asked).toEqual([]);
  await page.getByRole('button', { name: 'Ask for its name and size' }).click();
  await page.getByText('net.safetensors, 3').waitFor();
  expect(server.asked.map(({ method }) => method)).toEqual(['HEAD']);
  await page.getByRole('button', { name: 'Fetch', exact: true }).click();
  await page.getByText(/broke off: trying again in 1 second/).waitFor();
  await page.getByText(sum(file)).waitFor();
  const asked = server.asked.filter(({ method }) => method === 'GET').map(({ headers }) => headers.range);
  expect(asked).toHaveLength(2);
  expect(asked[1]).not.toBe('bytes=0-');
  const before = server.asked.length;
  await page.reload();
  await page.getByLabel('Your own', { exact: true }).check();
  await page.getByText('Weights or images from the hub').click();
  await page.locator('#address').fill(`${server.storage}/net.safetensors`);
  await page.getByRole('button', { name: 'Ask for its name and size' }).click();
  await page.getByText('nobody was asked').waitFor();
  expect(server.asked).toHaveLength(before);
  await page.locator('#address').fill('http://example.org/net.safetensors');
  await page.getByRole('button', { name: 'Ask for its name and size' }).click();
  await page.getByText('only https: is, and http: on this machine').waitFor();
});

/** Has the local server answer in the hub's place. */
const standIn = (page: Page) =>
  page.route('https://huggingface.co/**', async (route) => {
    const request = route.request();
    const { pathname, search } = new URL(request.url());
    const answer = await fetch(server.hub + pathname + search, {
      method: request.method(),
      headers: await request.allHeaders(),
      redirect: 'manual',
    });
    await route.fulfill({
      status: answer.status,
      headers: {
        ...Object.fromEntries(answer.headers),
        'access-control-expose-headers': 'ETag, Content-Range, X-Error-Code, X-Linked-Size, X-Linked-ETag',
      },
      body: Buffer.from(await answer.arrayBuffer()),
    });
  });

test('a repository of the hub: the token goes to the hub alone and is not kept, the file is', async () => {
  const file = bytesOf(200_000);
  server.repositories['owner/net'] = { 'model.safetensors': file };
  server.token = 'hf_secret';
  const page = await site.open();
  await standIn(page);
  const ask = async () => {
    await page.getByLabel('Your own', { exact: true }).check();
    await page.getByText('Weights or images from the hub').click();
    await page.locator('#address').fill('hf:owner/net');
    await page.getByRole('button', { name: 'Ask for its name and size' }).click();
  };
  await ask();
  await page.getByText(/is given to those only who asked for it/).waitFor();
  await page.getByLabel(/^Token of the hub/).fill('hf_secret');
  await page.getByRole('button', { name: 'Ask for its name and size' }).click();
  await page.getByText(/model.safetensors of hf:owner.net\S* is taken/).waitFor();
  server.asked.length = 0;
  await page.getByRole('button', { name: 'Fetch', exact: true }).click();
  await page.getByText(sum(file)).waitFor();
  await page.getByText(`Commit ${COMMIT.slice(0, 12)}`).waitFor();
  const tokens = (host: string) =>
    server.asked.filter((asked) => asked.host === host).map(({ headers }) => headers.authorization);
  expect(new Set(tokens('hub'))).toEqual(new Set(['Bearer hf_secret']));
  expect(new Set(tokens('storage'))).toEqual(new Set([undefined]));
  const before = server.asked.length;
  await page.reload();
  await ask();
  await page.getByText('nobody was asked').waitFor();
  expect(server.asked).toHaveLength(before);
  expect(await page.getByLabel(/^Token of the hub/).inputValue()).toBe('');
  const kept = await page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage }));
  expect(kept).not.toContain('hf_secret');
});
