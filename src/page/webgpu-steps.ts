/** What to do where WebGPU is missing, by browser and system. */

export interface Surroundings {
  userAgent: string;
  /** https or localhost */
  isSecure: boolean;
  /** whether navigator.gpu is there */
  hasApi: boolean;
}

/** The way to WebGPU from here, step by step. */
export function wayToWebGpu({ userAgent, isSecure, hasApi }: Surroundings): string[] {
  if (!isSecure)
    return [
      'Browsers give WebGPU only to pages that come over https or from this machine: open this page at https://, or serve it here (npm start) and open http://localhost.',
    ];
  const has = (pattern: RegExp) => pattern.test(userAgent);
  // iPads call themselves Macs, but have no other engine
  if (has(/iPhone|iPad|iPod/)) return isOld(hasApi, IOS, ACCELERATION.safari);
  if (has(/Firefox\//)) return isOld(hasApi, firefox(userAgent), ACCELERATION.firefox);
  if (has(/Android/)) return isOld(hasApi, ANDROID, ACCELERATION.android);
  if (has(/Chrome\//)) return isOld(hasApi, chrome(userAgent), chromeAcceleration(userAgent));
  if (has(/Safari\//)) return isOld(hasApi, SAFARI, ACCELERATION.safari);
  return isOld(
    hasApi,
    ['Open this page in Chrome or Edge 113, Safari 26 or Firefox 141, or in a later one.'],
    ACCELERATION.other,
  );
}

/** What is to be done for the interface, or where it is there, for an adapter behind it. */
const isOld = (hasApi: boolean, forApi: string[], forAdapter: string[]): string[] =>
  hasApi ? forAdapter : forApi;

const IOS = [
  'Update to iOS or iPadOS 26: all browsers there, Chrome and Firefox too, are drawn by Safari’s engine.',
  'In iOS 18: Settings, Apps, Safari, Advanced, Feature Flags, turn on WebGPU, and open this page in Safari.',
];
const SAFARI = [
  'Update to Safari 26, of macOS 26.',
  'In Safari 18: Settings, Advanced, Show features for web developers; then Feature Flags, turn on WebGPU, and reload.',
  'Or open this page in Chrome or Edge.',
];
const ANDROID = ['Open this page in Chrome 121 or later, on Android 12 or later.'];

function firefox(userAgent: string): string[] {
  const flag = 'Open about:config, set dom.webgpu.enabled to true, and restart Firefox.';
  if (/Windows/.test(userAgent)) return ['Update to Firefox 141 or later.', flag];
  if (/Mac OS/.test(userAgent))
    return ['Update to Firefox 145 or later, on a Mac with Apple’s own chip.', flag];
  return [
    `${flag} Where it still finds no GPU, gfx.webgpu.ignore-blocklist too.`,
    'Or open this page in Chrome or Edge.',
  ];
}

function chrome(userAgent: string): string[] {
  const name = nameOf(userAgent);
  const update = `Update to ${name.text} 113 or later.`;
  if (!/Linux|CrOS/.test(userAgent)) return [update];
  return [
    update,
    `On Linux open ${name.scheme}://flags, enable “Unsafe WebGPU Support” and “Vulkan”, and restart the browser.`,
  ];
}

function chromeAcceleration(userAgent: string): string[] {
  const { scheme } = nameOf(userAgent);
  const steps = [
    `Open ${scheme}://settings/system, turn on “Use graphics acceleration when available”, and restart the browser.`,
    `${scheme}://gpu says what is wrong: look for WebGPU under Graphics Feature Status.`,
  ];
  if (/Linux/.test(userAgent))
    steps.push(`On Linux enable “Unsafe WebGPU Support” and “Vulkan” in ${scheme}://flags as well.`);
  steps.push('After several crashes of the GPU the browser gives none until it is restarted.');
  return steps;
}

const nameOf = (userAgent: string) =>
  /Edg\//.test(userAgent) ? { text: 'Edge', scheme: 'edge' } : { text: 'Chrome', scheme: 'chrome' };

const ACCELERATION = {
  safari: ['Restart the browser; an old device may have no GPU that WebGPU can use.'],
  firefox: [
    'In Settings, General, Performance, turn on hardware acceleration, and restart Firefox.',
    'Where the driver is on Firefox’ list of faulty ones, about:config, gfx.webgpu.ignore-blocklist, lets it be used all the same.',
  ],
  android: [
    'WebGPU needs Android 12 and a GPU of Qualcomm, ARM, Imagination or Samsung: chrome://gpu says what is wrong.',
  ],
  other: ['Turn on hardware acceleration in the browser’s settings, and update the graphics driver.'],
};
