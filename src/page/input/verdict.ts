/** What a run would make of the user's network and images, known before it starts. */
import { computed } from '@preact/signals';
import { UserError } from '../../errors';
import { type HeadPlan, planHead } from '../../run/head-plan';
import { decideSettings } from '../../train/decide';
import { count } from '../format';
import { config, readSettings } from '../settings/config';
import { preview, survey } from './sources';

export interface Verdict {
  /** of the network's classifier; undefined where it has none */
  known?: number;
  /** of the images */
  classes: readonly string[];
  head: HeadPlan;
  /** images of a training step */
  batch: number;
  /** the highest learning rate */
  rate: number;
}

/** Known once network and images have been looked into, and the settings are fine. */
export const verdict = computed<Verdict | undefined>(() => {
  const [network, images] = [preview.value, survey.value];
  if (config.value.source !== 'own' || network.state !== 'ready' || images.state !== 'ready')
    return undefined;
  try {
    const settings = readSettings();
    const { classes, parts } = images.train;
    const head = planHead(network.classifier, classes, settings.head);
    const { input } = network.model;
    const decided = decideSettings(settings, { input, images: parts[0].images, newHead: head === 'new' });
    const batch = Math.min(decided.batch, parts[0].images);
    const { headless, count: known } = network.classifier;
    return { known: headless ? undefined : known, classes, head, batch, rate: decided.lr };
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
});

/** Why a run of these files would fail, where that is known already. */
export const misfit = computed<string | undefined>(() => {
  if (config.value.source !== 'own') return undefined;
  const [network, images] = [preview.value, survey.value];
  if (network.state === 'failed') return network.why;
  if (images.state === 'failed') return images.why;
  if (verdict.value?.head !== 'refused') return undefined;
  const { known, classes } = verdict.value;
  const has = known === undefined ? 'has no classifier' : `tells ${count(known)} classes apart`;
  return `The network ${has}, the images have ${count(classes.length)}: let it have a new classifier, or use images of its own classes.`;
});
