import { bytesText } from './amounts.ts';
import type { Part } from './document.ts';
import { firstStep } from './first-step.ts';
import { h, type Markup, table } from './markup.ts';
import { isOpenedInPlace } from './opened-in-place.ts';
import type { ArtifactView, RunView, TaskAction } from './page-views.ts';
import { scopeMeaning } from './scope-meaning.ts';
import { timeLine } from './time-line.ts';

/** @param base path under which all pages are */
export function runParts(view: RunView, base: string): Part[] {
  const path = `${base}/tasks/${view.taskId}/${view.runId ?? 'none'}`;
  return [
    { id: 'state', content: stateOf(view, base) },
    { id: 'time', content: [h('h2', {}, 'Time'), timeLine(view.phases)] },
    { id: 'log', content: logOf(view, path) },
    { id: 'artifacts', content: artifactsOf(view, path) },
    { id: 'scopes', content: scopesOf(view) },
    {
      id: 'definition',
      content: [
        h('h2', {}, 'Definition and payload'),
        h(
          'details',
          { id: 'definition-text' },
          h('summary', {}, 'as the queue has it'),
          h(
            'pre',
            { tabindex: 0, role: 'region', 'aria-label': 'Definition' },
            JSON.stringify(view.definition, null, 2),
          ),
        ),
      ],
    },
  ];
}

function stateOf(view: RunView, base: string): Markup[] {
  const { taskId, runId, otherRuns, state, reason } = view;
  const step = firstStep(state, reason);
  return [
    h('h1', {}, view.name || taskId),
    h(
      'p',
      {},
      stateBadge(state, reason),
      ' ',
      h('code', {}, taskId),
      runId !== undefined && ` run ${runId}`,
      otherRuns.flatMap((each) => [' ', h('a', { href: `${base}/tasks/${taskId}/${each}` }, `run ${each}`)]),
    ),
    ...(view.description === '' ? [] : [h('p', { class: 'description' }, view.description)]),
    ...(step === undefined ? [] : [h('p', { class: 'advice' }, step)]),
    h(
      'div',
      { class: 'ways' },
      view.shell !== undefined &&
        h('a', { class: 'button', href: view.shell, target: '_blank', rel: 'noopener noreferrer' }, 'Shell'),
      ...view.actions.map((action) => actionForm(taskId, action, base)),
    ),
  ];
}

/** The state in a word and, by its class, in a colour. */
export function stateBadge(state: string, reason?: string): Markup {
  const text = reason === undefined || reason === state ? state : `${state}: ${reason}`;
  return h('strong', { class: `state ${state}` }, text);
}

/** Works without a script. */
export function actionForm(taskId: string, action: TaskAction, base: string, name?: string): Markup {
  const text = action === 'cancel' ? 'Cancel' : 'Run again';
  return h(
    'form',
    { method: 'post', action: `${base}/tasks/${taskId}/${action}` },
    h('button', { type: 'submit', 'aria-label': name === undefined ? undefined : `${text}: ${name}` }, text),
  );
}

function logOf({ hasLog }: RunView, path: string): Markup[] {
  const links = h(
    'p',
    {},
    h('a', { href: `${path}/log` }, 'Raw'),
    ' ',
    h('a', { href: `${path}/log?download=1` }, 'Download'),
  );
  return hasLog
    ? [h('h2', {}, 'Log'), links, h('div', { class: 'log', 'data-log': `${path}/log` })]
    : [h('h2', {}, 'Log'), h('p', {}, 'There is none.')];
}

function artifactsOf({ artifacts }: RunView, path: string): Markup[] {
  const items = artifacts.map((artifact, index) => {
    const { name, contentType, bytes, error } = artifact;
    const address = artifact.elsewhere ?? `${path}/artifact?name=${encodeURIComponent(name)}`;
    return h(
      'li',
      {},
      error === undefined
        ? h('a', { href: address, rel: 'noopener noreferrer' }, name)
        : h('span', {}, `${name}: ${error}`),
      ' ',
      h(
        'span',
        { class: 'note' },
        [contentType, bytes === undefined ? [] : bytesText(bytes)].flat().join(', '),
      ),
      viewer(artifact, address, index),
    );
  });
  return [
    h('h2', {}, 'Artifacts'),
    items.length === 0 ? h('p', {}, 'There are none.') : h('ul', { class: 'artifacts' }, items),
  ];
}

/** A frame that may run nothing, whatever is in it. */
function viewer(artifact: ArtifactView, address: string, index: number): Markup | undefined {
  return isOpenedInPlace(artifact)
    ? h(
        'details',
        { id: `artifact-${index}` },
        h('summary', { 'aria-label': `Open here: ${artifact.name}` }, 'Open here'),
        h('iframe', { src: address, sandbox: '', loading: 'lazy', title: artifact.name }),
      )
    : undefined;
}

function scopesOf({ scopes }: RunView): Markup[] {
  return [
    h('h2', {}, 'Scopes'),
    scopes.length === 0
      ? h('p', {}, 'It has none.')
      : table(
          'Scopes',
          ['Scope', 'What it lets this task do'],
          scopes.map((scope) => [h('code', {}, scope), scopeMeaning(scope)]),
        ),
  ];
}
