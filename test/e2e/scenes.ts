/** The states of the page that pictures are drawn of: how each is come to, with the fake engine. */
import type { BrowserContextOptions, Locator, Page } from 'playwright-core';
import { dropFolders } from './drop';
import type { Scenario } from './fake-engine';
import { isKept, publish, update } from './publish';
import { finish, LONG, reach, start } from './run';
import { type Site, showPanel, showRedundancy } from './site';

interface Look {
  page: Page;
  site: Site;
  /** draws the whole page, or a part of it */
  shoot: (state: string, part?: Locator) => Promise<void>;
}

export interface Scene {
  scenario?: Scenario;
  path?: string;
  context?: BrowserContextOptions;
  look: (look: Look) => Promise<void>;
}

const SHORT = '#epochs=1';
const quick = { stepMs: 0 };
const LONG_NAME = 'a class of a name that is longer than any column could ever be wide '.repeat(2).trim();

const button = (page: Page, name: string | RegExp) => page.getByRole('button', { name });
const file = (name: string) => ({ name, mimeType: 'application/octet-stream', buffer: Buffer.from('x') });

async function panel(page: Page, id: string): Promise<Locator> {
  await showPanel(page, id);
  return page.locator(`#${id}`);
}

/** Opens every part of an element that is folded, those within others too. */
async function unfold(part: Locator): Promise<void> {
  const folded = part.locator('details:not([open]) > summary:visible').first();
  for (let folds = 0; folds < 30 && (await folded.count()) > 0; folds++)
    await folded.evaluate((summary) => (summary as HTMLElement).click());
}

async function ownFiles(page: Page, classes: Record<string, number>): Promise<void> {
  await page.locator('#weights').setInputFiles(file('network.safetensors'));
  await page.getByText('20 tensors').waitFor();
  await dropFolders(page, classes);
  await page.getByRole('region', { name: 'Classes of the images' }).waitFor();
}

export const scenes: Record<string, Scene> = {
  run: {
    scenario: { stepMs: 20 },
    path: '#epochs=4',
    async look({ page, shoot }) {
      await page.getByText('Test adapter').waitFor();
      await showRedundancy(page);
      await shoot('start');
      await start(page);
      await reach(page, 95);
      await button(page, 'Pause').click();
      await page.getByText('Paused', { exact: true }).waitFor();
      await shoot('paused');
      await button(page, 'Discard').click();
      await page.getByText('Discard what').waitFor();
      await shoot('discard', page.locator('.run-bar'));
      await button(page, 'Go on').click();
      await button(page, 'Resume').click();
      await finish(page);
      await page.getByText('The test images, one by one').waitFor();
      await shoot('results');
      await unfold(page.locator('#step-3'));
      await shoot('opened', page.locator('#step-3'));
    },
  },
  settings: {
    async look({ page, shoot }) {
      await page.getByText('Advanced settings').click();
      await button(page, 'Find a learning rate').click();
      await page.getByText('The loss falls fastest there.').waitFor();
      await shoot('advanced', page.locator('#step-2'));
    },
  },
  own: {
    path: '#source=own',
    async look({ page, shoot }) {
      await shoot('empty', page.locator('#step-1'));
      await page.getByText('Weights or images from the hub').click();
      await page.locator('#address').waitFor();
      await shoot('remote', page.locator('#step-1'));
      await ownFiles(page, { cat: 40, dog: 12, כלב: 3, [LONG_NAME]: 7 });
      await unfold(page.locator('#step-1'));
      await shoot('images', page.locator('#step-1'));
      await page.locator('.classes tbody th .link').first().click();
      await page.getByRole('dialog').waitFor();
      await page.waitForTimeout(300);
      await shoot('rename', page.getByRole('dialog'));
    },
  },
  class: {
    path: '#source=own',
    async look({ page, shoot }) {
      await ownFiles(page, { '<b>ring': 40, star: 12 });
      await page.locator('.classes tbody .link').last().click();
      await page.locator('.image-grid button').first().waitFor();
      await shoot('grid', page.getByRole('dialog'));
      await page.locator('.image-grid button').nth(1).click();
      await page.waitForTimeout(300);
      await shoot('large', page.getByRole('dialog'));
    },
  },
  capture: {
    path: '#source=own',
    context: { permissions: ['camera'] },
    async look({ page, shoot }) {
      await page.getByText('Make a set with the camera').click();
      await button(page, 'Camera for Class 1').click();
      await page.waitForFunction(() => (document.querySelector('video')?.videoWidth ?? 0) > 0);
      await button(page, 'Hold to record').hover();
      await page.mouse.down();
      await page.getByRole('listitem', { name: 'Class 1' }).getByRole('img').nth(4).waitFor();
      await page.mouse.up();
      await shoot('recorded', page.locator('.capture'));
    },
  },
  try: {
    path: SHORT,
    scenario: quick,
    async look({ page, shoot }) {
      await page.getByText('Try your own image').click();
      await page.locator('#try').setInputFiles([{ ...file('cat.png'), mimeType: 'image/png' }]);
      await page.locator('.chances').waitFor();
      await start(page);
      await finish(page);
      await page.locator('.answers section').nth(1).waitFor();
      await shoot('answers', page.locator('#step-3'));
    },
  },
  runs: {
    path: SHORT,
    scenario: quick,
    async look({ page, shoot }) {
      await start(page);
      await finish(page);
      await button(page, 'Fine-tune beside it').click();
      await page.locator('.verdict').waitFor();
      await shoot('fair', page.locator('#step-3'));
      await button(page, /^Rename/)
        .first()
        .click();
      const name = page.getByRole('textbox', { name: /^Name of/ });
      await name.fill(LONG_NAME);
      await name.press('Enter');
      for (const box of await page.locator('.run-table').getByRole('checkbox').all()) await box.check();
      await page.getByRole('heading', { name: '2 runs beside each other' }).waitFor();
      await page.locator('.overlays canvas').nth(1).waitFor();
      await shoot('compared', page.locator('#runs'));
      await button(page, /^Delete/)
        .first()
        .click();
      await page.getByText('is deleted.').waitFor();
      await shoot('deleted', page.locator('#runs'));
    },
  },
  network: {
    async look({ page, shoot }) {
      const network = await panel(page, 'network');
      await network.getByText(/^mobilenet_v2: /).waitFor();
      await shoot('folded', network);
      await network.getByLabel('Search').fill('depthwise stride');
      await network.getByText(/layers found$/).waitFor();
      await network.getByRole('row').nth(1).click();
      await network
        .getByRole('img', { name: /^Histogram from/ })
        .first()
        .waitFor();
      await shoot('layer', network);
    },
  },
  redundancy: {
    scenario: { stepMs: 25 },
    path: LONG,
    async look({ page, shoot }) {
      const redundancy = await panel(page, 'redundancy');
      await page.locator('.multiples').waitFor();
      await shoot('before', redundancy);
      await start(page);
      await redundancy.evaluate((element) => element.scrollIntoView());
      await redundancy.getByText(/^step \d+ − before, mean/).waitFor();
      await redundancy.getByLabel('Alike kernels side by side').check();
      await redundancy
        .getByRole('img', { name: /arrow keys choose a pair$/ })
        .first()
        .focus();
      await page.keyboard.press('Shift+ArrowDown');
      await shoot('live', redundancy);
      await button(page, 'Stop and merge').click();
      await finish(page);
      await redundancy.getByText(/^after − before, mean/).waitFor();
      await unfold(redundancy);
      await shoot('after', redundancy);
    },
  },
  analysis: {
    async look({ page, shoot }) {
      const analysis = await panel(page, 'analysis');
      await button(page, 'Analyse').waitFor();
      await shoot('before', analysis);
      await button(page, 'Analyse').click();
      await analysis.getByRole('cell', { name: '42.5' }).waitFor();
      await unfold(analysis);
      await shoot('after', analysis);
    },
  },
  experiment: {
    scenario: { stepMs: 50 },
    path: `#${new URLSearchParams({
      experiment: JSON.stringify({
        name: 'small',
        arms: ['none', 'finetune', 'refocus'],
        seeds: [0, 1],
        settings: { epochs: 1, lr: 0.01 },
      }),
    })}`,
    async look({ page, shoot }) {
      const experiment = await panel(page, 'experiment');
      await button(page, 'Start the experiment').waitFor();
      await shoot('before', experiment);
      await unfold(experiment);
      await shoot('form', experiment);
      await button(page, 'Start the experiment').click();
      await experiment.getByText(/^2 of 4: .*Training/).waitFor();
      // as it is drawn nothing above it may move
      await button(page, 'Pause').click();
      await page.locator('.phase', { hasText: 'Paused' }).waitFor();
      await shoot('during', experiment);
      await button(page, 'Resume').click();
      await experiment.getByText('4 of 4 runs are done.').waitFor();
      await experiment.getByRole('heading', { name: 'What was shown' }).waitFor();
      await shoot('after', experiment);
      await button(page, 'Another experiment').click();
      await experiment.getByRole('heading', { name: 'Earlier experiments' }).waitFor();
      await shoot('earlier', experiment);
    },
  },
  explain: {
    async look({ page, shoot }) {
      const explain = page.locator('#explain');
      await explain.waitFor();
      for (const title of ['For teachers', 'What is RefConv', 'See a kernel'])
        await explain.locator('summary', { hasText: title }).click();
      await page.getByText('What sceptics ask').waitFor();
      for (let stop = 2; stop <= 4; stop++) await button(page, 'Next').click();
      await shoot('opened', explain);
      await page.locator('[data-tour]').click();
      await page.getByRole('dialog').waitFor();
      await page.getByRole('dialog').getByRole('button', { name: 'Next' }).click();
      await page.waitForTimeout(600);
      await shoot('tour', page.locator('.tour'));
      await page.keyboard.press('Escape');
      await page.keyboard.press('?');
      await page.getByRole('dialog').waitFor();
      await shoot('shortcuts', page.getByRole('dialog'));
    },
  },
  lesson: {
    path: `${SHORT}&task=${encodeURIComponent('Train for one epoch. Which class gained most?\nSay why in your notes.')}&hide=profile,results,network,redundancy,analysis,experiment`,
    async look({ page, shoot }) {
      await page.getByLabel('Your notes').fill('Ring gained most.');
      await page.locator('#explain').waitFor();
      await shoot('task');
    },
  },
  profile: {
    async look({ page, shoot }) {
      await button(page, 'Profile a step').click();
      await page.getByRole('heading', { name: 'By shader' }).waitFor();
      await shoot('done', page.locator('.panel.profile'));
    },
  },
  worse: {
    path: SHORT,
    scenario: { ...quick, worse: true },
    async look({ page, shoot }) {
      await start(page);
      await finish(page);
      await shoot('result', page.locator('#step-3'));
    },
  },
  unproven: {
    path: SHORT,
    scenario: { ...quick, proofOk: false },
    async look({ page, shoot }) {
      await start(page);
      await finish(page);
      await shoot('result', page.locator('#step-3'));
    },
  },
  newhead: {
    path: SHORT,
    scenario: { ...quick, newHead: true },
    async look({ page, shoot }) {
      await start(page);
      await finish(page);
      await shoot('result', page.locator('#step-3'));
    },
  },
  diverged: {
    path: '#epochs=2&lr=0.02',
    scenario: { ...quick, ended: 'diverged' },
    async look({ page, shoot }) {
      await start(page);
      await page
        .getByText(/^Diverged after/)
        .first()
        .waitFor();
      await shoot('result');
    },
  },
  failed: {
    path: SHORT,
    scenario: {
      stepMs: 1,
      remedy: { message: 'The GPU could not give 900 MB.', settings: { microBatch: 16 } },
    },
    async look({ page, shoot }) {
      await start(page);
      await page.getByText('The GPU could not give 900 MB.').waitFor();
      await shoot('offer');
    },
  },
  broken: {
    path: SHORT,
    scenario: { ...quick, secondError: 'The GPU is gone.', failsAfter: 5 },
    async look({ page, shoot }) {
      await start(page);
      await finish(page);
      await start(page);
      await page.getByRole('alert').getByText('The GPU is gone.').waitFor();
      await shoot('beside');
    },
  },
  lost: {
    scenario: { stepMs: 5, lostAt: 60 },
    path: LONG,
    async look({ page, shoot }) {
      await start(page);
      await page.getByText(/^The engine was lost at step/).waitFor();
      await reach(page, 65);
      await shoot('goes-on', page.locator('#step-2'));
    },
  },
  watched: {
    scenario: { stepMs: 20 },
    path: LONG,
    async look({ page, shoot }) {
      await start(page);
      await reach(page, 30);
      const other = await page.context().newPage();
      await other.route('**/assets/worker-*.js', (route) => route.abort());
      await other.goto(page.url());
      await reach(other, 60);
      await shoot('watching', other.locator('body'));
    },
  },
  full: {
    scenario: { stepMs: 10 },
    path: LONG,
    async look({ page, shoot }) {
      const devtools = await page.context().newCDPSession(page);
      const { origin } = new URL(page.url());
      await devtools.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 1 });
      await start(page);
      await page.getByText(/^From here on this run lives in this page alone.*storage is full/).waitFor();
      await reach(page, 60);
      await shoot('storage');
    },
  },
  nogpu: {
    scenario: { noAdapter: 'WebGPU is there but found no GPU.' },
    async look({ page, shoot }) {
      await page.getByRole('alert').getByText('WebGPU is there').waitFor();
      await page.waitForTimeout(300);
      await shoot('told');
    },
  },
  toolarge: {
    path: '#batch=2000',
    async look({ page, shoot }) {
      await page.getByText('Test adapter').waitFor();
      await page.getByText('This GPU gives a buffer').waitFor();
      await shoot('forecast', page.locator('#step-2'));
    },
  },
  limited: {
    path: '#memory=40',
    async look({ page, shoot }) {
      await page.getByText('The memory limit is 40').waitFor();
      await shoot('forecast', page.locator('#step-2'));
    },
  },
  nan: {
    path: '#epochs=2&lr=100',
    scenario: {
      ...quick,
      ended: 'diverged',
      nonFinite: { step: 71, pass: 'forward', layer: 'features.3.conv.1.0', kind: 'conv2d' },
    },
    async look({ page, shoot }) {
      await start(page);
      await page.locator('.outcome').getByText('The first output that was not finite').waitFor();
      await shoot('result', page.locator('#step-3'));
    },
  },
  hundred: {
    path: SHORT,
    scenario: { ...quick, classes: 100 },
    async look({ page, shoot }) {
      await start(page);
      await finish(page);
      await page.getByText('The test images, one by one').waitFor();
      for (const name of ['Which classes are taken', 'Recall, precision and accuracy'])
        await page.locator('.test-images summary', { hasText: name }).click();
      const matrix = page.getByRole('img', { name: /^Confusion matrix of/ });
      await matrix.focus();
      await page.keyboard.press('ArrowRight');
      await shoot('result', page.locator('#step-3'));
    },
  },
  many: {
    path: '#source=own',
    async look({ page, shoot }) {
      const names = Array.from({ length: 100 }, (_, i) => `class ${i} כלב 🐕 ${'x'.repeat(i % 80)}`);
      await ownFiles(page, Object.fromEntries(names.map((name) => [name, 2])));
      await shoot('images', page.locator('#step-1'));
    },
  },
  // the last one: its newer version stays in the site's place, and is none that further pages could be drawn of
  update: {
    path: '#source=own',
    context: { serviceWorkers: 'allow' },
    async look({ page, shoot, site }) {
      await isKept(page);
      await publish(site);
      await update(page);
      await button(page, 'Load it').waitFor();
      await shoot('notice');
    },
  },
};
