/** The task of a lesson, above the page, with room for the student's notes; and the panels that it hides. */
import { computed, effect, signal } from '@preact/signals';
import { useState } from 'preact/hooks';
import { download } from '../files';
import { keep, readKept } from '../keep';
import { config } from '../settings/config';
import { hidingRules, isLesson, type Lesson } from './lesson';

/** whether all panels are shown although the lesson hides some */
const showsAll = signal(false);

/** Whether the page is a lesson's now: what is for those who make lessons is out of the way. */
export const isTaught = computed(() => isLesson(config.value.lesson) && !showsAll.value);

/** Makes the page a lesson's, as whoever is taught sees it: the form comes back by showing all, which ends here. */
export function teach(lesson: Lesson): void {
  showsAll.value = false;
  config.value = { ...config.value, lesson };
}

/** Hides the lesson's panels from now on. */
export function followLesson(): void {
  const sheet = new CSSStyleSheet();
  document.adoptedStyleSheets.push(sheet);
  effect(() => {
    const hide = showsAll.value ? [] : config.value.lesson.hide;
    sheet.replaceSync(hidingRules(hide));
    document.documentElement.dataset.hides = hide.join(' ');
  });
}

export function LessonCard() {
  const { task } = config.value.lesson;
  if (!isLesson(config.value.lesson)) return null;
  return (
    <section class="lesson" aria-labelledby="lesson-title">
      <h2 id="lesson-title">{task === '' ? 'Part of this page is hidden' : 'Task'}</h2>
      {task !== '' && (
        <>
          <p class="task" dir="auto">
            {task}
          </p>
          <Notes key={task} task={task} />
        </>
      )}
      <button
        type="button"
        class="button small"
        aria-pressed={showsAll.value}
        onClick={() => {
          showsAll.value = !showsAll.value;
        }}
      >
        Show the whole page
      </button>
    </section>
  );
}

/** Notes stay in this browser, a reload included, and nowhere else. */
function Notes({ task }: { task: string }) {
  const key = `refocus-notes ${task}`;
  const [notes, setNotes] = useState(() => readKept(key) ?? '');
  return (
    <div class="field">
      <label for="notes">Your notes, kept in this browser</label>
      <textarea
        id="notes"
        rows={3}
        dir="auto"
        value={notes}
        onInput={({ currentTarget: { value } }) => {
          setNotes(value);
          keep(key, value);
        }}
      />
      <button
        type="button"
        class="button small"
        disabled={notes.trim() === ''}
        onClick={() => download('notes.txt', `${task}\n\n${notes}\n`, 'text/plain')}
      >
        Save as notes.txt
      </button>
    </div>
  );
}
