import { UserError } from '../errors';
import type { LoadedNetwork } from './loaded-network';

/**
 * Whether a network tells the class of an image, which all is made for but training and what goes with it.
 * @throws UserError where it does not
 */
export function checkClassifier({ file, model: { task } }: Pick<LoadedNetwork, 'file' | 'model'>): void {
  if (task !== 'classification')
    throw new UserError(
      `${file} is a network for ${task}, which trains in experiments and runs alone: take one for classification here (docs/experiments.md).`,
    );
}

/**
 * Whether a network answers with one of several classes as it is.
 * @throws UserError where it does not
 */
export function checkAnswers(network: Pick<LoadedNetwork, 'file' | 'model' | 'headless'>): void {
  checkClassifier(network);
  const { file, headless, model } = network;
  if (headless)
    throw new UserError(
      `${file} has no classifier that is read here, one linear layer with its bias: train it on your classes first, or export the network as an ONNX file.`,
    );
  if (model.head.classes < 2)
    throw new UserError(
      `${file} has a classifier of one row, as for a sigmoid, which tells no classes apart here: give it a row for each of two classes.`,
    );
}
