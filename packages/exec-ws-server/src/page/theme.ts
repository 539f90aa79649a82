import type { ITheme } from '@xterm/xterm';

const storageKey = 'theme';
const preference = matchMedia('(prefers-color-scheme: dark)');

type Theme = 'light' | 'dark';

/** Sixteen colours each that are readable on their background. */
const themes: Record<Theme, ITheme> = {
  light: {
    background: '#ffffff',
    foreground: '#1f2430',
    cursor: '#1f2430',
    cursorAccent: '#ffffff',
    selectionBackground: '#b9d4f5',
    black: '#1f2430',
    red: '#b3261e',
    green: '#16794c',
    yellow: '#8f5b00',
    blue: '#1f5fbf',
    magenta: '#8a3a9e',
    cyan: '#0b7285',
    white: '#6b7280',
    brightBlack: '#5c6370',
    brightRed: '#cf3a30',
    brightGreen: '#1d8f5b',
    brightYellow: '#a66a00',
    brightBlue: '#2f74dd',
    brightMagenta: '#a34db8',
    brightCyan: '#0e8aa0',
    brightWhite: '#3a4150',
  },
  dark: {
    background: '#1a1e27',
    foreground: '#e6e8ec',
    cursor: '#e6e8ec',
    cursorAccent: '#1a1e27',
    selectionBackground: '#3d4f6e',
    black: '#3a4150',
    red: '#ff8078',
    green: '#7fd1ae',
    yellow: '#f0c674',
    blue: '#82b1ff',
    magenta: '#d7a1e8',
    cyan: '#76d4e3',
    white: '#d0d4dc',
    brightBlack: '#7b8496',
    brightRed: '#ff9c94',
    brightGreen: '#9be3c4',
    brightYellow: '#f7d794',
    brightBlue: '#a3c6ff',
    brightMagenta: '#e5bdf2',
    brightCyan: '#9ae3ee',
    brightWhite: '#ffffff',
  },
};

/** Follows the system's choice until somebody makes one of their own; returns what toggles it. */
export function followTheme(apply: (theme: ITheme) => void): () => void {
  function show(): void {
    const theme = chosen();
    document.documentElement.dataset.theme = theme;
    apply(themes[theme]);
  }
  preference.addEventListener('change', show);
  show();
  return () => {
    localStorage.setItem(storageKey, chosen() === 'dark' ? 'light' : 'dark');
    show();
  };
}

function chosen(): Theme {
  const own = localStorage.getItem(storageKey);
  return own === 'light' || own === 'dark' ? own : preference.matches ? 'dark' : 'light';
}
