/** What a run came to, in words. */

import type { Report } from '../run/report';
import { lowerRate } from '../train/divergence';
import { nonFiniteSentence } from '../train/non-finite';
import { figureOf } from './figure';
import { count, points } from './format';

export interface Outcome {
  /** whether there is something to be glad of */
  tone: 'good' | 'neutral' | 'bad';
  title: string;
  text: string;
}

/** Flips that are more uneven than this come by chance in one of twenty comparisons. */
const CHANCE = 0.05;

/** The end of a run, honestly: the network that it started from competes, and chance has its say. */
export function outcomeOf(report: Report): Outcome {
  const { accuracy, best, ended, uncertainty, settings, nonFinite } = report;
  if (ended === 'diverged') {
    const where = nonFinite
      ? nonFiniteSentence(nonFinite, settings.storage)
      : 'Its loss or accuracy left all bounds.';
    return {
      tone: 'bad',
      title: 'The run diverged',
      text: `${where} What is kept is the last good epoch. Try a learning rate of ${lowerRate(settings.lr)}.`,
    };
  }
  const { base } = accuracy;
  if (base === undefined) {
    return {
      tone: 'neutral',
      title: 'A new classifier for your classes',
      text: 'The network it came from has no such classes, so there is no accuracy to compare with: fine-tuning as long, on the same images and with the same seed, is the comparison.',
    };
  }
  if (best === 'base' || accuracy.best <= base) {
    return {
      tone: 'neutral',
      title: 'No gain: keep your network',
      text: report.dense
        ? `After no epoch is its ${figureOf(report.dense.task).name} above that of the network you started from.`
        : 'After no epoch does it tell more test images right than the network you started from.',
    };
  }
  const flips = uncertainty.flips?.best;
  const gain = points(accuracy.best - base);
  // a file that may be another network is no reason to be glad
  const tone = report.proof.ok ? 'good' : 'neutral';
  if (!flips) return { tone, title: `${gain} at its best`, text: 'One run with one seed is no proof.' };
  const { gained, lost, p } = flips;
  const told = `${count(gained)} test images gained, ${count(lost)} lost against the network you started from`;
  const chance = p < 0.001 ? 'p < 0.001' : `p = ${p.toFixed(3)}`;
  if (p > CHANCE) {
    return {
      tone: 'neutral',
      title: `${gain} at its best, which may be chance`,
      text: `${told}: McNemar’s test finds that two equally good networks differ as much often enough (${chance}). More test images or other seeds would tell.`,
    };
  }
  return {
    tone,
    title: `${gain} at its best`,
    text: `${told} (McNemar’s test, ${chance}). The best epoch was chosen by these images, and one seed is no proof.`,
  };
}
