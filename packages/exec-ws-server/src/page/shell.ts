import { FitAddon } from '@xterm/addon-fit';
import { Terminal } from '@xterm/xterm';
import { handleClipboard } from './clipboard.ts';
import { ShellConnection, type State } from './connection.ts';
import { handleKeys } from './keys.ts';
import { showRemaining } from './remaining.ts';
import { allowTerminalStyles } from './style-nonce.ts';
import { followTheme } from './theme.ts';

const stateTexts: Record<State, string> = {
  connecting: 'Connecting',
  connected: 'Connected',
  lost: 'Connection lost, coming back',
  ended: 'Ended',
};

allowTerminalStyles();
const terminal = new Terminal({
  cursorBlink: true,
  fontFamily: 'ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace',
  fontSize: 14,
  scrollback: 20_000,
});
const fit = new FitAddon();
terminal.loadAddon(fit);
terminal.open(element('terminal'));
const toggleTheme = followTheme((theme) => {
  terminal.options.theme = theme;
});
element('theme').addEventListener('click', () => {
  toggleTheme();
  terminal.focus();
});
handleClipboard(terminal, element('copy'), element('paste'));

const notice = element('notice') as HTMLDialogElement;
let isCounting = false;
const connection = new ShellConnection({
  onState(state) {
    const shown = element('state');
    shown.dataset.state = state;
    shown.textContent = stateTexts[state];
  },
  onOutput: (data, seen) => terminal.write(data, seen),
  onSession({ task, endsAt, resumed, position }) {
    notice.close();
    if (!resumed || position === 0) {
      terminal.reset();
    }
    if (task !== undefined) {
      element('task-id').textContent = `${task.taskId}/${task.runId}`;
      document.title = `Shell of ${task.taskId}`;
    }
    if (endsAt !== undefined && !isCounting) {
      isCounting = true;
      element('remaining').hidden = false;
      showRemaining(endsAt, (text) => {
        element('remaining-time').textContent = text;
      });
    }
    resize();
    terminal.focus();
  },
  onEnd(text) {
    element('notice-text').textContent = text;
    notice.show();
  },
});

const translate = handleKeys(element('keys'), (text) => connection.type(text));
terminal.onData((text) => connection.type(translate(text)));
terminal.onBinary((text) => connection.type(Uint8Array.from(text, (character) => character.charCodeAt(0))));
terminal.onResize(resize);
new ResizeObserver(() => fit.fit()).observe(element('terminal'));
element('again').addEventListener('click', () => {
  notice.close();
  connection.restart();
});
fit.fit();
connection.open();

function resize(): void {
  connection.resize(terminal.rows, terminal.cols);
}

function element(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) {
    throw new Error(`the page has no element "${id}"`);
  }
  return found;
}
