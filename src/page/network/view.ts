/** What of the network is shown, as the user chose it. */
import { computed, effect, signal } from '@preact/signals';
import { UserError } from '../../errors';
import { layerCosts } from '../../model/layer-costs';
import { preview } from '../input/sources';
import { config } from '../settings/config';
import { type Item, itemsOf } from './items';
import { edgesOf, foundRows, groupsOf, rowsOf } from './rows';

export const search = signal('');
/** keys of unfolded blocks */
export const open = signal<ReadonlySet<string>>(new Set());
/** the item that is told beside the list: the first, until another is chosen */
export const chosen = signal(0);
/** side of the images in pixels, as typed; empty: what the network was made for */
export const sideText = signal('');

const BUILTIN_SIDE = 32;

export const model = computed(() => (preview.value.state === 'ready' ? preview.value.model : undefined));

/** Pixels of a side. */
const side = computed(() => {
  const typed = Number(sideText.value);
  if (sideText.value.trim() !== '' && Number.isInteger(typed) && typed >= 1 && typed <= 4096) return typed;
  return config.value.source === 'builtin' ? BUILTIN_SIDE : (model.value?.input.size ?? BUILTIN_SIDE);
});

/** The network's items for images of that side, or why there are none. */
export const network = computed<{ items: Item[]; side: number; error?: string }>(() => {
  const found = model.value;
  if (!found) return { items: [], side: side.value };
  try {
    return { items: itemsOf(found, layerCosts(found, side.value, side.value)), side: side.value };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { items: [], side: side.value, error: error.message };
  }
});

export const rows = computed(() =>
  search.value.trim() === ''
    ? rowsOf(network.value.items, open.value)
    : foundRows(network.value.items, search.value),
);

/** No edges between what a search found: what lies between is not there. */
export const edges = computed(() => (search.value.trim() === '' ? edgesOf(rows.value) : []));

export const toggle = (key: string): void => {
  const next = new Set(open.value);
  if (!next.delete(key)) next.add(key);
  open.value = next;
};

export const blockKeys = computed(() =>
  groupsOf(network.value.items)
    .filter(({ length }) => length > 1)
    .map(([first]) => `${first.block} ${first.index}`),
);

export const chosenItem = computed(() => network.value.items.at(chosen.value));

/** Another network has other layers: nothing of it is chosen or unfolded. */
export const followModel = (): (() => void) => {
  let last = model.peek();
  return effect(() => {
    if (model.value === last) return;
    last = model.value;
    chosen.value = 0;
    open.value = new Set();
    search.value = '';
  });
};
