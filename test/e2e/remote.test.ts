import { afterAll, beforeAll, expect, test } from 'vitest';
import { bytesOf, HubServer, sum } from '../unit/remote/hub-server';
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
