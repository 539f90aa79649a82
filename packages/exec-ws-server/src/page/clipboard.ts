import type { Terminal } from '@xterm/xterm';

/**
 * Copy and paste by keys and buttons. Ctrl+C stays the terminal's; the browser's own menu and keys for
 * pasting go on working, since the terminal listens to its paste event.
 */
export function handleClipboard(terminal: Terminal, copy: HTMLElement, paste: HTMLElement): void {
  terminal.attachCustomKeyEventHandler((event) => {
    if (event.type === 'keydown' && event.ctrlKey && event.shiftKey && event.code === 'KeyC') {
      event.preventDefault();
      copySelection(terminal);
      return false;
    }
    // Left to the browser, which pastes as plain text.
    return !(event.ctrlKey && event.shiftKey && event.code === 'KeyV');
  });
  copy.addEventListener('click', () => {
    copySelection(terminal);
    terminal.focus();
  });
  // Pages without TLS are not let near the clipboard by themselves.
  paste.hidden = navigator.clipboard?.readText === undefined;
  paste.addEventListener('click', () => {
    navigator.clipboard.readText().then(
      (text) => terminal.paste(text),
      () => {},
    );
    terminal.focus();
  });
}

function copySelection(terminal: Terminal): void {
  const text = terminal.getSelection();
  if (text === '') {
    return;
  }
  if (navigator.clipboard === undefined) {
    // Answers the copy event with the terminal's selection.
    document.execCommand('copy');
  } else {
    navigator.clipboard.writeText(text).catch(() => document.execCommand('copy'));
  }
}
