/** The main figures of an analysis, a row a network: for a terminal, and for a glance. */
import type { Analysis } from '../../run/analyse/result';
import { count, percent, significant } from '../format';
import { figure, mean } from './section';

export interface Headlines {
  columns: { name: string; help: string }[];
  rows: string[][];
}

export function headlines({ networks, results }: Pick<Analysis, 'networks' | 'results'>): Headlines {
  const { weights, calibration, similarity, transfer, sharpness, attacks, corruptions } = results;
  const share = (value: number | undefined) => figure(value, (v) => percent(v, 1));
  const columns: ({ name: string; help: string; of: (network: number) => string } | false | undefined)[] = [
    { name: 'network', help: 'the first is the base', of: (i) => networks[i].name },
    { name: 'parameters', help: 'numbers in its parameters', of: (i) => count(networks[i].parameters) },
    weights && {
      name: 'divergence',
      help: 'mean KL divergence between the kernels of a layer, mean over the layers, nats',
      of: (i) => significant(mean(weights.networks[i].map((layer) => layer.divergence))),
    },
    weights &&
      weights.changes.length > 0 && {
        name: 'moved',
        help: 'distance of all weights from the base, of their length',
        of: (i) => (i === 0 ? '' : significant(weights.changes[i - 1].whole.relative)),
      },
    similarity &&
      similarity.matrices.length > 1 && {
        name: 'CKA',
        help: 'likeness of features with the base’s same layer, mean over the layers',
        of: (i) => (i === 0 ? '' : mean(similarity.matrices[i].map((row, layer) => row[layer])).toFixed(3)),
      },
    calibration && {
      name: 'accuracy',
      help: 'on the test images',
      of: (i) => share(calibration.networks[i].accuracy),
    },
    calibration && {
      name: 'ECE',
      help: 'expected calibration error',
      of: (i) => share(calibration.networks[i].error),
    },
    corruptions && {
      name: 'corrupted',
      help: 'accuracy on corrupted images, mean over kinds and strengths',
      of: (i) => share(mean(corruptions.kinds.flatMap(({ accuracy }) => accuracy[i]))),
    },
    transfer && {
      name: 'probe',
      help: 'accuracy of a linear probe on other images',
      of: (i) => share(transfer.networks[i].accuracy),
    },
    attacks && {
      name: 'PGD',
      help: 'accuracy under PGD, changes of up to 2 of 255',
      of: (i) => share(attacks.networks[i].pgd[attacks.epsilons.findIndex((e) => Math.round(255 * e) === 2)]),
    },
    sharpness && {
      name: 'sharpness',
      help: 'largest eigenvalue of the Hessian',
      of: (i) => figure(sharpness.networks[i].value),
    },
  ];
  const used = columns.filter((column) => column !== false && column !== undefined);
  return {
    columns: used.map(({ name, help }) => ({ name, help })),
    rows: networks.map((_, i) => used.map(({ of }) => of(i))),
  };
}
