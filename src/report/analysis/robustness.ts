import type { AnalysisResults, AttacksResult, CorruptionsResult } from '../../run/analyse/result';
import { legend } from '../chart';
import { percent } from '../format';
import { type Html, html } from '../html';
import { plotSvg } from '../plot';
import { named, table } from '../run-sections';
import { mean, sectionHtml } from './section';

export function robustnessSections(
  names: readonly string[],
  { corruptions, attacks }: Partial<AnalysisResults>,
): Html {
  return html`${corruptions && corruptionSection(names, corruptions)}${attacks && attackSection(names, attacks)}`;
}

const KINDS: Record<CorruptionsResult['kinds'][number]['name'], string> = {
  noise: 'Noise',
  blur: 'Blur',
  contrast: 'Less contrast',
};

function corruptionSection(names: readonly string[], { clean, kinds }: CorruptionsResult): Html {
  const plots = kinds.map(({ name, unit, accuracy }) =>
    plotSvg(
      names.map((network, i) => ({ name: network, x: [0, 1, 2, 3, 4, 5], y: [clean[i], ...accuracy[i]] })),
      {
        title: `${KINDS[name]} (${unit})`,
        across: 'strength; 0: the images as they are',
        up: 'accuracy',
        format: (v) => percent(v, 0),

        range: [0, 0],
      },
    ),
  );
  const head = [
    'Network',
    'As they are',
    ...kinds.flatMap(({ name, strengths }) => strengths.map((s) => html`${KINDS[name]}<small>${s}</small>`)),
    'Mean of the corrupted',
  ];
  const rows = names.map((network, i) => [
    named(network),
    percent(clean[i], 1),
    ...kinds.flatMap(({ accuracy }) => accuracy[i].map((v) => percent(v, 1))),
    percent(mean(kinds.flatMap(({ accuracy }) => accuracy[i])), 1),
  ]);
  return sectionHtml({
    title: 'Corrupted images',
    shows: 'Accuracy where images are made worse, the same bytes for all networks.',
    not: 'other corruptions: these three are our own, and no figures of ImageNet-C or CIFAR-10-C can be set beside them.',
    body: html`${legend(names)}${plots}${table(head, rows, 'wide')}`,
  });
}

function attackSection(names: readonly string[], { epsilons, steps, networks }: AttacksResult): Html {
  const levels = epsilons.map((epsilon) => Math.round(255 * epsilon));
  const plot = (key: 'fgsm' | 'pgd', title: string) =>
    plotSvg(
      names.map((name, i) => ({ name, x: levels, y: networks[i][key] })),
      {
        title,
        across: 'largest change of a value, of 255',
        up: 'accuracy',
        format: (v) => percent(v, 0),

        range: [0, 0],
      },
    );
  const row = (i: number, key: 'fgsm' | 'pgd') => [
    html`${named(names[i])}<small>${key.toUpperCase()}</small>`,
    ...networks[i][key].map((v) => percent(v, 1)),
  ];
  return sectionHtml({
    title: 'Adversarial images',
    shows: `Accuracy where each image is changed to the network’s harm, by its own gradient: in one step (FGSM) and in ${steps} smaller ones from the image itself, 2.5 times as long together (PGD).`,
    not: 'safety: stronger attacks than these are known, and a network that hides its gradients looks robust here.',
    body: html`${legend(names)}${plot('fgsm', 'FGSM')}${plot('pgd', 'PGD')}${table(
      ['Network', ...levels.map((level) => `${level} of 255`)],
      names.flatMap((_, i) => [row(i, 'fgsm'), row(i, 'pgd')]),
    )}`,
  });
}
