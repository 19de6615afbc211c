/** An analysis of two networks as the engine would give it, with every section. */
import { gridOf } from '../src/analysis/landscape';
import type { Analysis, AnalysisResults } from '../src/api';
import { corruptions } from '../src/data/corruptions';
import { analysisNumbers } from '../src/run/analyse/options';

const LAYERS = ['features.1.conv.0.0', 'features.2.conv.1.0', 'features.3.conv.1.0'];
const line = gridOf(5, 1);
const bowl = (scale: number) => line.map((a) => line.map((b) => 0.5 + scale * (a * a + 0.5 * b * b)));
const skeleton = [1, 2, 1, 2, 4, 2, 1, 2, 1];

const results: AnalysisResults = {
  weights: {
    networks: [1, 1.4].map((more) =>
      LAYERS.map((name, i) => ({
        name,
        shape: [16 << i, 1, 3, 3],
        planes: 16 << i,
        divergence: 0.01 * more * (i + 1),
        cosine: 0.2 / more,
        effectiveRank: 5 + i * 0.5 * more,
        skeleton: skeleton.map((tap) => (0.1 * tap * more) / (i + 1)),
        gram: {
          mapKernel: 3,
          groups: 1,
          eigenvalues: [9, 5, 3, 2, 1, 1, 0.5, 0.2, 0.1],
          directions: 4 + i * more,
        },
      })),
    ),
    changes: [
      {
        layers: LAYERS.map((name, i) => ({
          name,
          shape: [16 << i, 1, 3, 3],
          distance: 0.5 + i,
          relative: 0.1,
          angle: 4 + i,
        })),
        whole: { distance: 2, relative: 0.125, angle: 6.5 },
      },
    ],
  },
  calibration: {
    networks: [0.75, 0.8125].map((accuracy, network) => ({
      accuracy,
      interval: [accuracy - 0.05, accuracy + 0.05] as const,
      loss: 0.7 - 0.1 * network,
      error: 0.08 + 0.01 * network,
      confidence: accuracy + 0.06,
      bins: Array.from({ length: 15 }, (_, i) => ({
        from: i / 15,
        to: (i + 1) / 15,
        images: i < 4 ? 0 : 10 + i,
        ...(i >= 4 && { confidence: (i + 0.5) / 15, accuracy: Math.max(0, (i - 0.5 + network) / 15) }),
      })),
      ...(network > 0 && {
        paired: {
          images: 256,
          difference: 0.0625,
          interval: [0.01, 0.11] as const,
          flips: { gained: 28, lost: 12, p: 0.017 },
        },
      }),
    })),
  },
  similarity: {
    batch: 64,
    side: 4,
    layers: [...LAYERS, 'classifier.1'],
    matrices: [1, 0.9].map((same) =>
      Array.from({ length: 4 }, (_, i) =>
        Array.from({ length: 4 }, (_, j) => same * (1 - 0.25 * Math.abs(i - j))),
      ),
    ),
  },
  corruptions: {
    clean: [0.75, 0.8125],
    kinds: (['noise', 'blur', 'contrast'] as const).map((name) => ({
      name,
      unit: corruptions[name].unit,
      strengths: corruptions[name].strengths,
      accuracy: [0.7, 0.78].map((start) => [0, 1, 2, 3, 4].map((i) => start - 0.1 * i)),
    })),
  },
  transfer: {
    source: 'photos.zip',
    classes: ['cat', 'dog'],
    images: { train: 200, test: 100 },
    chance: 0.55,
    networks: [0.82, 0.86].map((accuracy) => ({
      accuracy,
      interval: [accuracy - 0.08, accuracy + 0.07] as const,
      ridge: 0.1,
    })),
  },
  attacks: {
    epsilons: [0, 1, 2, 4, 8].map((levels) => levels / 255),
    steps: 10,
    networks: [0.75, 0.8125].map((clean) => ({
      fgsm: [clean, 0.6, 0.45, 0.3, 0.2],
      pgd: [clean, 0.55, 0.35, 0.15, 0.02],
    })),
  },
  sharpness: {
    networks: [
      { value: 42.5, residual: 0.02, products: 12, converged: true },
      { value: 30.25, residual: 0.1, products: 20, converged: false },
    ],
  },
  landscape: {
    line,
    losses: [2, 1].map((scale) => line.map((a) => 0.5 + scale * a * a)),
    grid: { steps: line, losses: [bowl(2), bowl(1)] },
    paths: [
      {
        steps: [-0.25, 0, 0.5, 1, 1.25],
        losses: [0.8, 0.5, 0.9, 0.6, 1],
        accuracies: [0.6, 0.75, 0.5, 0.8, 0.6],
      },
    ],
  },
};

/** The report escapes: names come from files. */
export const fakeAnalysis: Analysis = {
  kind: 'analysis',
  version: '0.1.0',
  date: '2026-01-02T03:04:05.678Z',
  adapter: 'fake',
  networks: ['base', '<b>refocused'].map((name) => ({
    name,
    file: `${name}.safetensors`,
    architecture: 'mobilenet_v2',
    parameters: 2_236_682,
  })),
  images: { source: 'builtin', count: 256, width: 32, height: 32, classes: ['cat', 'dog'] },
  numbers: analysisNumbers(),
  seconds: 12,
  stopped: false,
  notes: ['base: MobileNetV2 by its names.'],
  results,
  failures: {},
};
