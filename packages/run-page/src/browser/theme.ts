const storageKey = 'theme';
const preference = matchMedia('(prefers-color-scheme: dark)');

/** Follows the system's choice until the button is used; that choice is kept. */
export function followTheme(button: HTMLElement): void {
  function show(): void {
    document.documentElement.dataset.theme = chosen();
  }
  preference.addEventListener('change', show);
  button.addEventListener('click', () => {
    localStorage.setItem(storageKey, chosen() === 'dark' ? 'light' : 'dark');
    show();
  });
  button.hidden = false;
  show();
}

function chosen(): 'light' | 'dark' {
  const own = localStorage.getItem(storageKey);
  return own === 'light' || own === 'dark' ? own : preference.matches ? 'dark' : 'light';
}
