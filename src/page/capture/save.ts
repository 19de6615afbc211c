/** The user's own set as a zip, a folder a class: what this page, ImageFolder and others read. */
import { zip } from 'fflate';
import { download } from '../files';
import { ownFiles } from './own-set';

export async function saveOwnSet(): Promise<void> {
  const entries: Record<string, [Uint8Array, { level: 0 }]> = {};
  for (const { path, blob } of ownFiles()) {
    const inside = path.split('/').slice(1).join('/');
    // pictures are packed already
    entries[inside] = [new Uint8Array(await blob.arrayBuffer()), { level: 0 }];
  }
  const packed = await new Promise<Uint8Array>((resolve, reject) =>
    zip(entries, (error, bytes) => (error ? reject(error) : resolve(bytes))),
  );
  download('my-images.zip', packed as Uint8Array<ArrayBuffer>, 'application/zip');
}
