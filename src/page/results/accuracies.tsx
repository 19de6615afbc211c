/** A run's three accuracies, each with its uncertainty. */
import type { Report } from '../../api';
import { percent, points } from '../format';

interface AccuraciesProps {
  accuracy: Partial<Report['accuracy']>;
  intervals?: Report['uncertainty']['intervals'];
}

export function Accuracies({ accuracy, intervals }: AccuraciesProps) {
  const { base } = accuracy;
  const figure = (name: string, key: 'base' | 'last' | 'best') => {
    const value = accuracy[key];
    const interval = intervals?.[key];
    return (
      <div>
        <dt>{name}</dt>
        <dd>
          {value === undefined ? '–' : percent(value)}
          {value !== undefined && base !== undefined && key !== 'base' && (
            <small>{points(value - base)}</small>
          )}
          {interval && (
            <small class="interval">
              {percent(interval[0], 1)} to {percent(interval[1], 1)}
            </small>
          )}
        </dd>
      </div>
    );
  };
  return (
    <dl class="accuracies" aria-label="Test accuracy">
      {figure('Base', 'base')}
      {figure('Last', 'last')}
      {figure('Best', 'best')}
    </dl>
  );
}
