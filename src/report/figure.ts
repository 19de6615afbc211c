/** What the accuracies of a run or an experiment are called where they are none. */
interface Figure {
  /** in a sentence */
  name: string;
  /** of the test images, at the head of a column or a chart */
  title: string;
  /** how it is computed, a sentence */
  about: string;
}

const FIGURES = {
  classification: {
    name: 'accuracy',
    title: 'Accuracy of the test images',
    about: 'Accuracies of the test images',
  },
  segmentation: {
    name: 'mIoU',
    title: 'mIoU of the test images',
    about:
      'mIoU: over the pixels of all test images, the mean over the classes (what is of none is one of them) of intersection over union',
  },
  detection: {
    name: 'AP at 0.5',
    title: 'AP at 0.5 of the test images',
    about:
      'AP at 0.5: the mean over the classes of the average precision (all points of the curve) of boxes that overlap an object’s by half or more',
  },
} satisfies Record<string, Figure>;

export const figureOf = (task: keyof typeof FIGURES = 'classification'): Figure => FIGURES[task];
