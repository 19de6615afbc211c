/** Loads a set as the engine's worker does: in a file of the browser's, on workers of its own. */
import { loadImageSet } from '../../src/data/image-set';
import { closeImages, imageBytes, readImages } from '../../src/data/pixels';

let answered = 0;
const Native = self.Worker;
self.Worker = class extends Native {
  constructor(...args: ConstructorParameters<typeof Native>) {
    super(...args);
    this.addEventListener('message', ({ data }) => {
      if (data !== 'ready') answered++;
    });
  }
};

self.onmessage = async ({ data }) => {
  try {
    const { train, report } = await loadImageSet(data.files, { use: 'train', memoryBytes: data.memoryBytes });
    const { images } = train!;
    const pixels = new Uint8Array(images.count * imageBytes(images));
    await readImages(images, [...Array(images.count).keys()], pixels);
    const root = await navigator.storage.getDirectory();
    const folder = await root.getDirectoryHandle('refocus-images', { create: true });
    const list = async () => {
      let files = 0;
      for await (const _ of folder.keys()) files++;
      return files;
    };
    const during = await list();
    await closeImages(images);
    self.postMessage({ pixels, report, answered, during, after: await list() });
  } catch (error) {
    self.postMessage({ error: String(error) });
  }
};
