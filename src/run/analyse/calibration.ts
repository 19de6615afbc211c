import { calibrationOf } from '../../analysis/calibration';
import { classFigures } from '../../analysis/class-figures';
import { comparePaired, wilsonInterval } from '../../analysis/uncertainty';
import { evaluateNetwork } from '../../train/evaluate';
import { inImageOrder } from '../logits';
import type { AnalysisContext, Subject } from './context';
import type { CalibrationResult } from './result';

/** Accuracy and calibration of each network, and what each gains and loses against the first. */
export async function analyseCalibration({
  subjects,
  ...context
}: AnalysisContext): Promise<CalibrationResult> {
  const tested: Awaited<ReturnType<typeof test>>[] = [];
  for (const subject of subjects) tested.push(await test(subject, context));
  return {
    networks: tested.map(({ loss, accuracy, predictions }, i) => ({
      ...calibrationOf(predictions),
      loss,
      accuracy,
      interval: wilsonInterval(Math.round(accuracy * predictions.length), predictions.length),
      ...(i > 0 && { paired: comparePaired(tested[0].predictions, predictions) }),
    })),
  };
}

async function test({ model, state }: Subject, context: Omit<AnalysisContext, 'subjects'>) {
  const { gpu, images, normalisation, goOn } = context;
  const { count } = images;
  goOn(count);
  const options = { ...normalisation, keep: count, goOn: () => goOn(0) };
  const { figures, logits } = await evaluateNetwork(gpu, model, state, images, options);
  const { predictions } = classFigures(inImageOrder(logits, count, model.head.classes), images);
  return { ...figures, predictions };
}
