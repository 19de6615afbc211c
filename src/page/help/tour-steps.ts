/** The six stops of the tour. */

export interface TourStep {
  title: string;
  text: string;
  /** where it points, the first of these that is on the page */
  targets: readonly string[];
}

export const tourSteps: readonly TourStep[] = [
  {
    title: 'A network and images',
    text: 'Everything begins with a trained network. The built-in example is there at once; your own weights and images can be dropped anywhere on the page. They are read here, in your browser: nothing is uploaded.',
    targets: ['#step-1'],
  },
  {
    title: 'How to train it',
    text: 'Refocus keeps every trained kernel and learns how to mix it with the others of its layer. Fine-tune changes the kernels directly: the fair comparison. The settings are fine as they are.',
    targets: ['#step-2 fieldset', '#step-2'],
  },
  {
    title: 'Start, pause, stop',
    text: 'One click starts a run. It goes on in a hidden tab, it can be paused, and after a reload it is offered again. A finished result is never thrown away by a new start.',
    targets: ['.run-bar'],
  },
  {
    title: 'Watch it learn',
    text: 'The faint line is each step, the strong one its smoothed course, the points are tests on images that the network does not train on. Only those tell whether it got better.',
    targets: ['#step-2 .curves', '#step-2'],
  },
  {
    title: 'What came of it',
    text: 'The network you came with competes for “best”, and each accuracy stands with its uncertainty. The merged file is written, read again and compared with the trained network before you can download it.',
    targets: ['#step-3'],
  },
  {
    title: 'Look inside',
    text: 'How alike the kernels of a layer are, before and after; a kernel being refocused, picture by picture, with your network’s own numbers; and what is true of the method and what is not known.',
    targets: ['#explain', '#redundancy'],
  },
];
