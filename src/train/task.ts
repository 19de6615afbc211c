import type { Model, TaskName } from '../model/model';
import { crossEntropy } from '../ops/loss/cross-entropy';
import type { TrainSettings } from './settings';
import type { Task } from './task-types';

/** One class an image. A row is (sum of losses, images told right, images, sum of their weights or 0). */
const classification: Task = {
  loss: (graph, logits, target, options) =>
    crossEntropy(graph, 'loss', logits, target, { ...options, metrics: true }).dlogits,
  sums: 4,
  figures: ({ 0: loss, 1: correct, 2: images, 3: weights }) => ({
    loss: loss / (weights || images),
    accuracy: correct / images,
  }),
  score: ({ accuracy }) => accuracy,
};

/** Others come with the first network that needs one. */
const tasks: Partial<Record<TaskName, (model: Model) => Task>> = { classification: () => classification };

/** Has `taskOf` know a network's task. */
export async function loadTask(model: Pick<Model, 'task'>): Promise<void> {
  if (tasks[model.task]) return;
  const { denseTasks } = await import('./dense-tasks');
  Object.assign(tasks, denseTasks);
}

/** What a network is trained for; of another task than classification, once that is loaded. */
export function taskOf(model: Model): Task {
  const task = tasks[model.task];
  if (!task) throw new Error(`the task ${model.task} is not loaded`);
  return task(model);
}

/** Whether a network tells one class an image. */
export const isClassifier = ({ task }: Pick<Model, 'task'>): boolean => task === 'classification';

/** What is decided for other tasks than classification: images as they are, since masks and boxes are not changed with them. */
export const forTask = <T extends Pick<TrainSettings, 'augment'>>(settings: T, model: Model): T =>
  isClassifier(model) || settings.augment !== 'auto' ? settings : { ...settings, augment: 'none' };
