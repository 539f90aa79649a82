const sequences: Record<string, string> = {
  escape: '\x1b',
  tab: '\t',
  up: '\x1b[A',
  down: '\x1b[B',
  right: '\x1b[C',
  left: '\x1b[D',
};

/** The keys that a phone's keyboard lacks. Returns what turns a typed letter into its control character. */
export function handleKeys(bar: HTMLElement, type: (text: string) => void): (typed: string) => string {
  const control = bar.querySelector<HTMLElement>('[data-key=control]');
  function isControl(): boolean {
    return control?.getAttribute('aria-pressed') === 'true';
  }
  function setControl(pressed: boolean): void {
    control?.setAttribute('aria-pressed', String(pressed));
  }
  // Before the click, which would take the focus and with it the keyboard away.
  bar.addEventListener('pointerdown', (event) => event.preventDefault());
  bar.addEventListener('click', ({ target }) => {
    const key = (target as HTMLElement).dataset.key ?? '';
    if (key === 'control') {
      setControl(!isControl());
    } else if (sequences[key] !== undefined) {
      type(sequences[key]);
    }
  });
  return (typed) => {
    if (!isControl() || !/^[a-z@[\]\\^_ ]$/i.test(typed)) {
      return typed;
    }
    setControl(false);
    return String.fromCharCode(typed.toUpperCase().charCodeAt(0) & 31);
  };
}
