/** What the paper reports, what we measured and how to repeat it, and what sceptics ask. */

/** Top-1 accuracy on ImageNet in per cent, by the paper (arXiv 2310.10563) and its authors' answers to the reviewers. */
export const paperRows: readonly [model: string, base: string, fineTuned: string, refConv: string][] = [
  ['ResNet-34, +500 epochs', '75.12', '75.16', '75.86'],
  ['MobileNetV3, +500 epochs', '74.28', '74.34', '74.91'],
  ['MobileNetV2, once', '–', '–', '72.35'],
  ['MobileNetV2, a second time', '–', '–', '72.43'],
  ['MobileNetV2, more often', '–', '–', '72.43'],
  ['ConvNeXt-T', '–', '–', '+0.96 points'],
  ['FasterNet-S', '–', '–', '+1.15 points'],
  ['The most, of all their networks', '–', '–', '+1.47 points'],
];

export interface Measured {
  what: string;
  figure: string;
  /** repeats it, in a checkout */
  command: string;
}

export const measured: readonly Measured[] = [
  {
    what: 'The built-in network on images by another camera: 1,000 to train on, 1,000 others for the test, three epochs, the default settings, one seed',
    figure: '59.2 % before, 66.0 % fine-tuned, 73.1 % refocused',
    command: 'npm run demo',
  },
  {
    what: 'The same network and images at a learning rate of 0.01 in batches of 32',
    figure: '76.6 % fine-tuned, 56.7 % refocused: worse than before',
    command: 'npm run demo -- --lr 0.01 --batch 32',
  },
  {
    what: 'The same, each method at the learning rate that held-out training images chose, eight epochs, three seeds',
    figure: '77.5 ± 0.8 % fine-tuned, 77.3 ± 0.7 % refocused: no difference shown',
    command: 'npm run -s refocus -- experiment docs/findings/reviewers.json',
  },
  {
    what: 'MobileNetV2 x0.35 from a base that was trained for 30 epochs on 25,000 images of CIFAR-10, each method at its rate, four epochs more, five seeds',
    figure: '73.70 % before, 73.79 ± 0.07 % fine-tuned, 73.84 ± 0.29 % refocused: no difference shown',
    command: 'npm run -s refocus -- experiment docs/findings/cifar-mobilenet-trained.json',
  },
  {
    what: 'MobileNetV2 at 224 pixels in batches of 32: what a step of refocusing costs more than one of fine-tuning',
    figure: 'arithmetic 57.000 instead of 56.999 billion operations, memory 1,118.1 instead of 1,117.6 MB',
    command: 'npm run -s refocus -- plan --arch mobilenet_v2 --batch 32 --size 224 --method refocus --json',
  },
  {
    what: 'Depthwise RefConv under SGD in its short form, by the Gram matrix, against the map itself',
    figure: 'the same within rounding, over a whole training',
    command: 'npx vitest run --project gpu test/gpu/refocus-training.test.ts',
  },
  {
    what: 'The merged file against the network that was trained',
    figure: 'compared after every run of yours: the largest difference stands under “The merge is proven”',
    command: 'python check.py (beside every merged file)',
  },
];

export interface Asked {
  question: string;
  answer: string;
}

export const asked: readonly Asked[] = [
  {
    question: 'Is it only longer training?',
    answer:
      'That has to be ruled out each time: compare with fine-tuning for as many epochs, from a network that has converged. The paper does so on ImageNet and finds 0.6 to 0.7 points in favour of RefConv after 500 more epochs. In trainings of minutes we find no such rule: at one rate for both either may win, and with a rate chosen for each, over three to five seeds, refocusing as it is by default was nowhere the better by more than a tenth of a point. “Fine-tune beside it”, below a result, makes the comparison with your images, the experiment “Is it only longer training?” over several seeds.',
  },
  {
    question:
      'Does it connect channels at all? The output of one depthwise kernel never sees another channel’s input.',
    answer:
      'It connects parameters, not features. The kernel of one channel is moved by a map that reads the kernels of all channels, as the pictures above show. Under SGD this comes to one K²×K² matrix a layer that every step is multiplied by. No new path for information arises in the network. In our experiments matrices of the same size that connect no kernels did as well: within four points over three seeds, and within four tenths of one over five.',
  },
  {
    question: 'Does it help to do it again?',
    answer:
      'Little, by the paper: MobileNetV2 gains 0.08 points the second time and nothing after it. In ours, with half of the epochs each time, no difference was shown over five seeds on two networks. “Train on from this”, below a result, tries it with your network.',
  },
  {
    question: 'Does it ever hurt?',
    answer:
      'Yes. At a rate that fine-tuning bears well it can fall below the network you started from (see the table of our figures), and with a new classifier on few images fine-tuning was better in our test (93.0 against 87.0 %, docs/transfer.md). The network you came with competes for “best”, and the page says when nothing was gained.',
  },
  {
    question: 'Does it work for modern and larger networks?',
    answer:
      'The authors report gains for ConvNeXt-T and FasterNet-S. We have repeated none of their trainings: they take weeks of GPU time. ConvNeXt, FasterNet, RepLKNet, SLaK, HorNet and EfficientNet can be loaded here, to see for yourself on a small task.',
  },
  {
    question: 'What does it cost?',
    answer:
      'In use nothing: after the merge the network has the same layers and shapes. In training next to nothing for depthwise layers under SGD, where the short form is exact. With other optimisers the whole map has to be kept, 9 C² numbers for a layer of C channels, and its gradient and momentum too.',
  },
  {
    question: 'How does it compare with RepVGG, DBB, ACNet and other re-parameterisations?',
    answer:
      'Those train extra branches from the start and fold them into one kernel later. RefConv starts from a trained network and adds a map on its weights, so the two do not exclude each other. We know of no comparison on equal terms; the experiment “Against other re-parameterisations” makes one with your images.',
  },
];
