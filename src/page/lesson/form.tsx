/** A teacher's form: a task, the panels to hide, and the link that carries both with the settings as they stand. */
import { useState } from 'preact/hooks';
import { showPlace } from '../place';
import { config } from '../settings/config';
import { encodeHash } from '../settings/url';
import { teach } from './card';
import { type PanelName, panels } from './lesson';

/** Longer addresses do not pass through every mail program and learning platform. */
const LONG = 2000;

export function LessonForm() {
  const [task, setTask] = useState(config.value.lesson.task);
  const [hidden, setHidden] = useState<readonly PanelName[]>(config.value.lesson.hide);
  const [said, setSaid] = useState('');
  const lesson = { task: task.trim(), hide: hidden };
  const hash = encodeHash({ ...config.value, lesson });
  const link = `${location.origin}${location.pathname}${hash && `#${hash}`}`;
  const toggle = (name: PanelName) =>
    setHidden(hidden.includes(name) ? hidden.filter((other) => other !== name) : [...hidden, name]);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(link);
      setSaid('Copied.');
    } catch {
      setSaid('The browser does not let it be copied: select the link and copy it yourself.');
    }
  };
  return (
    <div class="lesson-form">
      <p class="prose">
        The link opens this page with your task above it, without the panels you hide, and with the settings
        and the choice of network as they stand now. Students’ files, runs and notes stay on their own
        machines. The task is part of the link, as plain text: do not write into it what others should not
        read.
      </p>
      <div class="field">
        <label for="lesson-task">Task</label>
        <textarea
          id="lesson-task"
          rows={5}
          dir="auto"
          value={task}
          placeholder="Train with the settings given. Which class gained most? Which kernels became more alike?"
          onInput={({ currentTarget }) => setTask(currentTarget.value)}
        />
      </div>
      <fieldset class="panel-choice">
        <legend>Hide</legend>
        {(Object.keys(panels) as PanelName[]).map((name) => (
          <label key={name}>
            <input type="checkbox" checked={hidden.includes(name)} onChange={() => toggle(name)} />{' '}
            {panels[name].label}
          </label>
        ))}
      </fieldset>
      <div class="field">
        <label for="lesson-link">Link</label>
        <input
          id="lesson-link"
          type="text"
          readOnly
          value={link}
          onFocus={({ currentTarget }) => currentTarget.select()}
        />
        {link.length > LONG && (
          <p class="hint">
            {link.length} characters: some programs cut links above {LONG}. A shorter task is safer.
          </p>
        )}
      </div>
      <div class="row">
        <button type="button" class="button small primary" onClick={copy}>
          Copy the link
        </button>
        <button
          type="button"
          class="button small"
          onClick={() => {
            teach(lesson);
            // this form is no part of it
            requestAnimationFrame(() => showPlace('.lesson'));
          }}
        >
          Try it here
        </button>
        <p class="hint" role="status">
          {said}
        </p>
      </div>
    </div>
  );
}
