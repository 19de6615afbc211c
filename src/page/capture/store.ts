/** Keeps a set of the user's own making in the browser: its classes under one key, each picture under its own. */
import { createStore, delMany, get, getMany, keys, set } from 'idb-keyval';

export interface OwnPicture {
  id: string;
  /** of the file, once in its class */
  name: string;
  blob: Blob;
}

export interface OwnClass {
  id: string;
  name: string;
  pictures: readonly OwnPicture[];
}

/** The database. */
export const PICTURES = 'refocus-pictures';

const CLASSES = 'classes';

/** Classes as they are kept: pictures by their keys. */
type Kept = { id: string; name: string; pictures: { id: string; name: string }[] }[];

/** A browser that keeps nothing has no such store, and says so at the first use. */
const store = () => {
  opened ??= createStore(PICTURES, 'pictures');
  return opened;
};
let opened: ReturnType<typeof createStore> | undefined;

export async function keepClasses(classes: readonly OwnClass[]): Promise<void> {
  const kept: Kept = classes.map(({ id, name, pictures }) => ({
    id,
    name,
    pictures: pictures.map((picture) => ({ id: picture.id, name: picture.name })),
  }));
  await set(CLASSES, kept, store());
}

export async function keepPicture(id: string, blob: Blob): Promise<void> {
  // a file of the disk may change or go; what was given is kept
  await set(id, new Blob([await blob.arrayBuffer()], { type: blob.type }), store());
}

/** Whether there is more than names of classes. */
export const hasPictures = async (): Promise<boolean> => (await keys(store())).length > 1;

/** What is kept; pictures that no class has any more are removed. */
export async function storedClasses(): Promise<OwnClass[]> {
  const kept = (await get<Kept>(CLASSES, store())) ?? [];
  const ids = kept.flatMap(({ pictures }) => pictures.map(({ id }) => id));
  const blobs = new Map((await getMany<Blob>(ids, store())).map((blob, i) => [ids[i], blob]));
  await forgetOthers(new Set(ids));
  return kept.map(({ id, name, pictures }) => ({
    id,
    name,
    pictures: pictures.flatMap((picture) => {
      const blob = blobs.get(picture.id);
      return blob ? { ...picture, blob } : [];
    }),
  }));
}

async function forgetOthers(wanted: ReadonlySet<string>): Promise<void> {
  const all = await keys<string>(store());
  await delMany(
    all.filter((key) => key !== CLASSES && !wanted.has(key)),
    store(),
  );
}
