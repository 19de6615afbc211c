/** Experiments that are there by name. */
import type { ExperimentFile } from './experiment';

export interface ExperimentPreset {
  label: string;
  help: string;
  experiment: ExperimentFile;
}

/**
 * From what maps take well to what fine-tuning and new weights take well: steps of maps are longer by their Gram matrices, those of the
 * built-in network by up to 105.
 */
const RATES = [0.001, 0.003, 0.01, 0.03, 0.1];

/**
 * Arms on a small network for another task than classification, which is trained from scratch as their base: on all images, so that it works,
 * and at a high rate, since these networks have few steps to get there. An arm has fewer still, of which nothing becomes for a new network:
 * retraining is left out.
 */
const dense = (
  name: string,
  arch: string,
  train: { epochs: number; lr: number },
  question: string,
): ExperimentFile => ({
  name,
  question,
  base: { network: { arch }, train: { ...train, limit: 1600 } },
  data: ['builtin-scenes'],
  arms: ['none', 'finetune', 'refocus'],
  reference: 'finetune',
  seeds: [0, 1, 2],
  lrSearch: { rates: [0.0003, 0.001, 0.003, 0.01, 0.03], epochs: 2 },
  settings: { epochs: 5, batch: 16, limit: 500 },
});

export const experimentPresets: Readonly<Record<string, ExperimentPreset>> = {
  reviewers: {
    label: 'Is it only longer training?',
    help: 'base, retraining, fine-tuning and refocusing for as long, three seeds, each at the rate that held-out training images choose',
    experiment: {
      name: 'reviewers',
      question: 'Is what refocusing gains more than what the same training gains without it?',
      arms: ['none', 'retrain', 'finetune', 'refocus'],
      reference: 'finetune',
      seeds: [0, 1, 2],
      lrSearch: { rates: RATES, epochs: 4 },
      settings: { epochs: 8 },
    },
  },
  converged: {
    label: 'From a converged network',
    help: 'the same on the images that the built-in network was trained on until it got no better: hours without a GPU',
    experiment: {
      name: 'converged',
      question: 'Does refocusing gain anything where ordinary training has come to its end?',
      data: ['builtin'],
      arms: ['none', 'retrain', 'finetune', 'refocus'],
      reference: 'finetune',
      seeds: [0, 1, 2],
      lrSearch: { rates: RATES, epochs: 2 },
      settings: { epochs: 10 },
    },
  },
  ablations: {
    label: 'What in it matters?',
    help: "refocusing with each of its choices changed: the map's start, the identity term, its kernel, the layers",
    experiment: {
      name: 'ablations',
      question: 'Which choices of refocusing matter?',
      arms: [
        'none',
        'refocus',
        'finetune',
        'refocus-kaiming',
        'refocus-no-identity',
        'refocus-spatial',
        'refocus-k1',
        'joint',
      ],
      reference: 'refocus',
      seeds: [0, 1, 2],
      lrSearch: { rates: RATES, epochs: 4 },
      settings: { epochs: 8 },
    },
  },
  connection: {
    label: 'Is it the connection of kernels?',
    help: 'refocusing, the preconditioned fine-tuning that it is, and its controls: other matrices of the same size',
    experiment: {
      name: 'connection',
      question: 'Is what refocusing gains due to the connection of kernels, or to the size of its steps?',
      arms: [
        'none',
        'refocus',
        'finetune',
        'precondition',
        'precondition-random',
        'precondition-diagonal',
        'precondition-own',
        'precondition-identity',
      ],
      reference: 'refocus',
      seeds: [0, 1, 2],
      lrSearch: { rates: RATES, epochs: 4 },
      settings: { epochs: 8 },
    },
  },
  structural: {
    label: 'Against other re-parameterisations',
    help: 'refocusing beside ACNet, RepVGG, diverse branch blocks and OREPA on the same layers, and iterated',
    experiment: {
      name: 'structural',
      question: 'How does refocusing compare with structural re-parameterisation of the same layers?',
      arms: ['none', 'finetune', 'refocus', 'refocus-twice', 'acnet', 'repvgg', 'dbb', 'orepa'],
      reference: 'refocus',
      seeds: [0, 1, 2],
      lrSearch: { rates: RATES, epochs: 4 },
      settings: { epochs: 8 },
    },
  },
  cost: {
    label: 'What does it cost?',
    help: 'a step of each form of the map beside one of fine-tuning: time, memory, work and dispatches; its accuracies say nothing',
    experiment: {
      name: 'cost',
      question: 'What does a step of training cost with a map, factored or dense?',
      arms: ['finetune', 'refocus', 'refocus-dense', 'precondition', 'joint'],
      reference: 'finetune',
      seeds: [0, 1, 2],
      settings: { epochs: 1, limit: 512 },
    },
  },
  segmentation: {
    label: 'For segmentation too?',
    help: 'a small U-Net that is trained here first, for 40 epochs, then fine-tuned and refocused on drawn scenes with masks; mIoU; an hour without a GPU',
    experiment: dense(
      'segmentation',
      'dw_unet',
      { epochs: 40, lr: 0.4 },
      'Does refocusing gain anything where every pixel is told its class?',
    ),
  },
  detection: {
    label: 'For detection too?',
    help: 'a small one-stage detector, in the same way on the same scenes with boxes; average precision',
    experiment: dense(
      'detection',
      'dw_detector',
      { epochs: 40, lr: 0.1 },
      'Does refocusing gain anything where objects are found?',
    ),
  },
  smoke: {
    label: 'Does it run here?',
    help: 'two arms, two seeds, one epoch of few images: shows that it works and what a report looks like, nothing else',
    experiment: {
      name: 'smoke',
      question: 'Does it run here?',
      arms: ['none', 'finetune', 'refocus'],
      reference: 'finetune',
      seeds: [0, 1],
      lrSearch: { rates: [0.01, 0.03] },
      settings: { epochs: 1, limit: 128 },
    },
  },
};
