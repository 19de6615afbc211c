/** One form field: label, input, help, and the one sentence that says what is wrong with its value. */
import { count } from '../../report/format';
import type { Choice, Field, NumberRange } from '../../train/field';

/** What an input needs to know of a field. */
type FormField = Pick<Field<unknown>, 'label' | 'choices' | 'range' | 'unit'> & {
  help?: string;
  expects?: string;
};

interface InputProps {
  id: string;
  field: FormField;
  value: string;
  onValue: (value: string) => void;
  error?: string;
  /** whether the field's help stands below it */
  hasHelp?: boolean;
  /** what an empty field means; absent: it may not be empty */
  empty?: string;
  /** the value to go back to; what differs from it is marked */
  fallback?: string;
}

/** The input that suits the field: a list of its few values, or a text. */
export function FieldInput(props: InputProps) {
  const { id, field, error, hasHelp, value, fallback = value } = props;
  const isChanged = value !== fallback;
  return (
    <div class={`field${error ? ' invalid' : ''}${isChanged ? ' changed' : ''}`}>
      <div class="field-head">
        <label for={id} id={`${id}-label`}>
          {field.label}
        </label>
        {isChanged && <Reset {...props} fallback={fallback} />}
      </div>
      {field.choices ? <Select {...props} choices={field.choices} /> : <Text {...props} />}
      {hasHelp && (
        <p class="hint" id={`${id}-hint`}>
          {field.help}
        </p>
      )}
      {hasHelp && field.range && (
        <p class="hint range" id={`${id}-range`}>
          {field.expects?.replace(/\d{5,}/g, (digits) => count(Number(digits)))}
        </p>
      )}
      {error && (
        <p class="error" id={`${id}-error`}>
          {error}
        </p>
      )}
    </div>
  );
}

/** Puts a field back to its default, which it names. */
function Reset({ id, fallback, onValue }: InputProps & { fallback: string }) {
  return (
    <button
      type="button"
      class="reset"
      title={`Back to the default, ${fallback}`}
      aria-label={`Back to the default, ${fallback}`}
      aria-describedby={`${id}-label`}
      onClick={() => {
        onValue(fallback);
        document.getElementById(id)?.focus();
      }}
    >
      ↺
    </button>
  );
}

/** What an input shares with every other. */
const shared = ({ id, field, value, error, hasHelp }: InputProps) => ({
  id,
  value,
  'aria-invalid': error !== undefined,
  'aria-describedby':
    [
      field.unit && `${id}-unit`,
      hasHelp && `${id}-hint`,
      hasHelp && field.range && `${id}-range`,
      error && `${id}-error`,
    ]
      .filter(Boolean)
      .join(' ') || undefined,
});

/** Text, because it shows what was typed; `inputMode` brings a phone's number pad. */
function Text(props: InputProps) {
  const { id, field, value, onValue, empty } = props;
  const { range, unit } = field;
  const isNumber = range && !(range.orAuto && value.trim() === 'auto');
  return (
    <div class="text">
      <input
        {...shared(props)}
        type="text"
        inputMode={range && !range.orAuto ? (range.step === 1 ? 'numeric' : 'decimal') : 'text'}
        autocomplete="off"
        spellcheck={false}
        placeholder={empty}
        {...(isNumber && spinner(range, value, onValue))}
        onInput={(event) => onValue(event.currentTarget.value)}
      />
      {unit && (
        <span class="unit" id={`${id}-unit`}>
          {unit}
        </span>
      )}
    </div>
  );
}

/** Arrow keys change a number by its step, as they do in a number input. */
function spinner({ step, min, max, holds }: NumberRange, value: string, onValue: (value: string) => void) {
  const current = value.trim() === '' ? Number.NaN : Number(value);
  return {
    role: 'spinbutton' as const,
    'aria-valuemin': min,
    'aria-valuemax': max,
    'aria-valuenow': Number.isFinite(current) ? current : undefined,
    onKeyDown(event: KeyboardEvent) {
      const sign = { ArrowUp: 1, ArrowDown: -1 }[event.key];
      if (!sign || !Number.isFinite(current)) return;
      event.preventDefault();
      // in binary fractions 0.1 + 0.2 has a tail that nobody typed
      const next = Number((current + sign * step).toPrecision(12));
      if (holds(next)) onValue(String(next));
    },
  };
}

/** A value that is none of the choices is shown as it is. */
function Select({ choices, empty, ...props }: InputProps & { choices: readonly Choice[] }) {
  const { value, onValue } = props;
  const options = empty === undefined ? choices : [{ value: '', label: empty }, ...choices];
  return (
    <select {...shared(props)} onChange={(event) => onValue(event.currentTarget.value)}>
      {!options.some((option) => option.value === value) && <option value={value}>{value}</option>}
      {options.map((option) => (
        <option key={option.value} value={option.value}>
          {option.label}
        </option>
      ))}
    </select>
  );
}
