/** An image set of the user's own making: classes with pictures from the camera or from files. It outlives the page. */
import { computed, signal } from '@preact/signals';
import type { UserFile } from '../../api';
import { isImageName } from '../../data/layout/names';
import { normal } from '../../data/rename';
import { freeName } from './class-name';
import { keepClasses, keepPicture, type OwnClass, storedClasses } from './store';

export const ownClasses = signal<readonly OwnClass[]>([]);
/** what the last removal took away can come back */
const beforeRemoval = signal<readonly OwnClass[] | undefined>(undefined);
export const canUndo = computed(() => beforeRemoval.value !== undefined);
/** why pictures are lost when the page closes; undefined where they are kept */
export const notKept = signal<string | undefined>(undefined);

/** The folder that holds the classes. */
const FOLDER = 'my images';

/** The set as files, a folder a class; classes without pictures have none. */
export const ownFiles = (): UserFile[] =>
  ownClasses.value.flatMap(({ name, pictures }) =>
    pictures.map((picture) => ({ path: `${FOLDER}/${name}/${picture.name}`, blob: picture.blob })),
  );

/** Whether there is enough to tell apart. */
export const isTrainable = computed(
  () => ownClasses.value.filter(({ pictures }) => pictures.length > 0).length >= 2,
);

export const pictureCount = computed(() =>
  ownClasses.value.reduce((sum, { pictures }) => sum + pictures.length, 0),
);

let loading: Promise<void> | undefined;

/** Brings back what an earlier page kept; a set that is new has two classes. */
export function loadOwnSet(): Promise<void> {
  loading ??= (async () => {
    const found = await orNotKept(storedClasses);
    if (ownClasses.value.length > 0) return;
    ownClasses.value = found && found.length > 0 ? found : [newClass([]), newClass(['Class 1'])];
  })();
  return loading;
}

const newClass = (others: readonly string[]): OwnClass => ({
  id: crypto.randomUUID(),
  name: freeName(others),
  pictures: [],
});

export function addClass(): OwnClass {
  const added = newClass(ownClasses.value.map(({ name }) => name));
  change([...ownClasses.value, added]);
  return added;
}

export const renameClass = (id: string, name: string): void => changeClass(id, (one) => ({ ...one, name }));

export function removeClass(id: string): void {
  remove(ownClasses.value.filter((one) => one.id !== id));
}

export function removePicture(classId: string, id: string): void {
  remove(
    ownClasses.value.map((one) =>
      one.id === classId ? { ...one, pictures: one.pictures.filter((picture) => picture.id !== id) } : one,
    ),
  );
}

export function removeAll(): void {
  remove([newClass([]), newClass(['Class 1'])]);
}

export function undoRemoval(): void {
  if (!beforeRemoval.value) return;
  const before = beforeRemoval.value;
  change(before);
}

/** Puts pictures into a class, under names of their own; what is no picture is left out. Gives how many were put there. */
export function addPictures(classId: string, files: readonly UserFile[]): number {
  const pictures = files.filter(({ path }) => isImageName(path));
  if (pictures.length > 0) changeClass(classId, (one) => withPictures(one, pictures));
  return pictures.length;
}

/** Puts pictures into the classes of those names, and into new ones where there are none. */
export function addClasses(found: readonly { name: string; files: readonly UserFile[] }[]): void {
  // those that a new set begins with make room
  const isNew = ownClasses.value.every(({ pictures }) => pictures.length === 0);
  const classes = isNew ? [] : [...ownClasses.value];
  for (const { name, files } of found) {
    const at = classes.findIndex((one) => normal(one.name) === normal(name));
    const one = classes[at] ?? { id: crypto.randomUUID(), name, pictures: [] };
    classes[at < 0 ? classes.length : at] = withPictures(one, files);
  }
  change(classes);
}

function withPictures(one: OwnClass, pictures: readonly UserFile[]): OwnClass {
  const taken = new Set(one.pictures.map(({ name }) => name));
  const added = pictures.map(({ path, blob }) => ({
    id: crypto.randomUUID(),
    name: freeFile(path.split('/').at(-1)!, taken),
    blob,
  }));
  for (const { id, blob } of added) orNotKept(() => keepPicture(id, blob));
  return { ...one, pictures: [...one.pictures, ...added] };
}

/** The name, or with a number before its ending where it is taken; it is taken then. */
export function freeFile(name: string, taken: Set<string>): string {
  const [, stem, ending] = /^(.*?)(\.[^.]*)?$/.exec(name)!;
  let free = name;
  for (let i = 2; taken.has(free); i++) free = `${stem} ${i}${ending ?? ''}`;
  taken.add(free);
  return free;
}

function changeClass(id: string, changed: (one: OwnClass) => OwnClass): void {
  change(ownClasses.value.map((one) => (one.id === id ? changed(one) : one)));
}

function remove(rest: readonly OwnClass[]): void {
  const before = ownClasses.value;
  change(rest);
  beforeRemoval.value = before;
}

function change(classes: readonly OwnClass[]): void {
  beforeRemoval.value = undefined;
  ownClasses.value = classes;
  orNotKept(() => keepClasses(classes));
}

async function orNotKept<T>(action: () => Promise<T>): Promise<T | undefined> {
  try {
    return await action();
  } catch (error) {
    notKept.value = (error as Error).message;
    return undefined;
  }
}
