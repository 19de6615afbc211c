import { expect, test } from 'vitest';
import { wayToWebGpu } from '../../../src/page/webgpu-steps';

const WINDOWS = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)';
const LINUX = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)';
const MAC = 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)';

const AGENTS = {
  chromeWindows: `${WINDOWS} Chrome/140.0.0.0 Safari/537.36`,
  edge: `${WINDOWS} Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0`,
  chromeLinux: `${LINUX} Chrome/140.0.0.0 Safari/537.36`,
  android:
    'Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/119.0.0.0 Mobile Safari/537.36',
  safari: `${MAC} AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15`,
  chromeIos:
    'Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/140.0 Mobile/15E148 Safari/604.1',
  firefoxLinux: 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
  firefoxWindows: 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0',
  other: 'Lynx/2.9',
};

const way = (agent: keyof typeof AGENTS, hasApi: boolean, isSecure = true) =>
  wayToWebGpu({ userAgent: AGENTS[agent], isSecure, hasApi }).join(' ');

test('an origin that is not secure is said before all else', () => {
  for (const agent of Object.keys(AGENTS) as (keyof typeof AGENTS)[])
    expect(way(agent, false, false)).toMatch(/https:\/\/.*localhost/);
});

test.each<[keyof typeof AGENTS, boolean, RegExp]>([
  ['chromeWindows', false, /^Update to Chrome 113 or later\.$/],
  ['chromeWindows', true, /chrome:\/\/settings\/system.*chrome:\/\/gpu/],
  ['edge', false, /^Update to Edge 113/],
  ['edge', true, /edge:\/\/settings\/system/],
  ['chromeLinux', false, /chrome:\/\/flags.*Vulkan/],
  ['chromeLinux', true, /settings\/system.*Vulkan.*flags/],
  ['android', false, /Chrome 121 or later, on Android 12/],
  ['android', true, /Android 12 and a GPU/],
  ['safari', false, /Safari 26.*Feature Flags/],
  ['safari', true, /Restart the browser/],
  ['chromeIos', false, /iOS or iPadOS 26.*Chrome and Firefox too.*open this page in Safari/],
  ['firefoxLinux', false, /about:config.*dom\.webgpu\.enabled/],
  ['firefoxLinux', true, /gfx\.webgpu\.ignore-blocklist/],
  ['firefoxWindows', false, /Firefox 141.*dom\.webgpu\.enabled/],
  ['other', false, /Chrome or Edge 113, Safari 26 or Firefox 141/],
])('%s, with the interface %s', (agent, hasApi, expected) => {
  expect(way(agent, hasApi)).toMatch(expected);
});
