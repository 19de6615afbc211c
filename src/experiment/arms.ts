/**
 * The arms that an experiment can have: ways to spend the same training on the same network. An arm is an entry of this table,
 * the settings in which it differs from what all arms share; a file of an experiment may change one, or name its own.
 */
import type { TrainSettings } from '../train/settings';

export interface Arm {
  /** in tables and curves */
  label: string;
  /** what it is for, a sentence */
  about: string;
  /** where it differs from the settings that all arms share; absent: nothing is trained */
  settings?: Partial<TrainSettings>;
  /** the arm whose trained network it starts from, of the same seed; absent: the base, or new numbers where its method is `retrain` */
  from?: string;
  /** its learning rate is that of another arm times a factor; absent: searched for it as for every arm */
  rate?: { of: string; times: number };
}

export const arms: Readonly<Record<string, Arm>> = {
  none: {
    label: 'Base',
    about: 'The network as it was loaded: what all others are to be better than.',
  },
  retrain: {
    label: 'Retrained',
    about: 'All weights from new random numbers: what the budget is worth without the base.',
    settings: { method: 'retrain' },
  },
  finetune: {
    label: 'Fine-tuned',
    about: 'All weights go on training as they are: is it only longer training?',
    settings: { method: 'finetune' },
  },
  'finetune-rate-x3': {
    label: 'Fine-tuned, rate × 3',
    about: 'Fine-tuning at three times its own rate: is a gain that of larger steps?',
    settings: { method: 'finetune' },
    rate: { of: 'finetune', times: 3 },
  },
  refocus: {
    label: 'Refocused',
    about: 'Kernels are frozen, and maps that start from zero refocus them.',
    settings: { method: 'refocus' },
  },
  'refocus-kaiming': {
    label: 'Refocused, Kaiming start',
    about: "Maps start from PyTorch's random numbers, as in RefConv's own code.",
    settings: { method: 'refocus', mapInit: 'kaiming' },
  },
  'refocus-no-identity': {
    label: 'Refocused, no identity',
    about:
      'The kernel is what the map makes of the frozen one, without that one itself; the map must start at random.',
    settings: { method: 'refocus', mapInit: 'kaiming', identity: false },
  },
  'refocus-spatial': {
    label: 'Refocused, all spatial',
    about: 'Maps on every convolution that is larger than 1 x 1, not on depthwise ones alone.',
    settings: { method: 'refocus', layers: 'spatial' },
  },
  'refocus-k1': {
    label: 'Refocused, map 1 × 1',
    about: 'A map that mixes kernels tap by tap, without their neighbours.',
    settings: { method: 'refocus', mapKernel: 1 },
  },
  'refocus-k5': {
    label: 'Refocused, map 5 × 5',
    about: 'A larger map, on kernels that are as large.',
    settings: { method: 'refocus', mapKernel: 5 },
  },
  'refocus-dense': {
    label: 'Refocused, dense map',
    about:
      'The map itself is trained: the same numbers as the factored form up to rounding, and what they cost.',
    settings: { method: 'refocus', path: 'dense' },
    rate: { of: 'refocus', times: 1 },
  },
  joint: {
    label: 'Trained jointly',
    about: 'Kernels and maps train together.',
    settings: { method: 'joint' },
  },
  'refocus-twice': {
    label: 'Refocused twice',
    about: 'Half the epochs, then fresh maps on the kernels that these have made, for the other half.',
    settings: { method: 'refocus', rounds: 2 },
  },
  precondition: {
    label: 'Gram-preconditioned',
    about:
      'Fine-tuning with gradients times the Gram matrix of the kernels: refocusing without a map, to rounding at the same rate.',
    settings: { method: 'precondition' },
    rate: { of: 'refocus', times: 1 },
  },
  'precondition-random': {
    label: 'Random preconditioner',
    about:
      'A matrix of the same spectrum along random directions: is it what the kernels say, or how far steps go?',
    settings: { method: 'precondition', preconditioner: 'random' },
  },
  'precondition-diagonal': {
    label: 'Diagonal preconditioner',
    about: 'Of the Gram matrix a step size for each tap, and no more.',
    settings: { method: 'precondition', preconditioner: 'diagonal' },
  },
  'precondition-own': {
    label: "Kernel's own preconditioner",
    about: 'The Gram matrix of each kernel alone: is it that kernels have a say in each other?',
    settings: { method: 'precondition', preconditioner: 'own' },
  },
  'precondition-identity': {
    label: 'Scalar preconditioner',
    about: "The identity times the Gram matrix's mean eigenvalue: is it the step size of each layer?",
    settings: { method: 'precondition', preconditioner: 'identity' },
  },
  'precondition-layer': {
    label: 'Layer preconditioner',
    about:
      'One number a layer, the mean eigenvalue of all its Gram matrices: of a depthwise layer, which has one, the scalar.',
    settings: { method: 'precondition', preconditioner: 'layer' },
  },
  acnet: {
    label: 'ACNet',
    about: 'A column and a row beside each kernel, which become part of it.',
    settings: { method: 'branches', branches: 'acnet' },
  },
  repvgg: {
    label: 'RepVGG',
    about: 'A 1 x 1 kernel and the identity beside each kernel, which become part of it.',
    settings: { method: 'branches', branches: 'repvgg' },
  },
  dbb: {
    label: 'Diverse branches',
    about: 'The branches of a diverse branch block beside each kernel, which become part of it.',
    settings: { method: 'branches', branches: 'dbb' },
  },
  orepa: {
    label: 'OREPA',
    about: 'Linear stacks beside each kernel, without norms of their own, which become part of it.',
    settings: { method: 'branches', branches: 'orepa' },
  },
};
