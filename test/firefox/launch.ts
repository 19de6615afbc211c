import puppeteer, { type Browser } from 'puppeteer-core';

/**
 * Starts the Firefox of the tests, without a window; FIREFOX is its path.
 * @param folder what it may write to: it is its home, and what is downloaded lies there
 * @param timeout milliseconds that a call may take
 */
export function launchFirefox(folder: string, timeout: number): Promise<Browser> {
  return puppeteer.launch({
    browser: 'firefox',
    executablePath: process.env.FIREFOX,
    headless: true,
    protocolTimeout: timeout,
    env: { ...process.env, HOME: folder },
    extraPrefsFirefox: {
      'dom.webgpu.enabled': true,
      // software drivers are on the list
      'gfx.webgpu.ignore-blocklist': true,
      // into a folder that is named
      'browser.download.folderList': 2,
      'browser.download.dir': folder,
    },
  });
}
