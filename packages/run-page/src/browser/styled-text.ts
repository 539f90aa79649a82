import Anser from 'anser';

export interface StyledText {
  text: string;
  classes: string[];
  /** As in CSS; for colours that the style sheet has no name for. */
  color?: string;
  background?: string;
}

/** Titles of windows and the like, and control characters that no line shows. */
const invisible =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  /\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[^[]|[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f]/g;

/** A line of a log with the colours that its escape sequences tell. */
export function styledText(line: string): StyledText[] {
  const parts = Anser.ansiToJson(line.replace(invisible, ''), {
    json: true,
    remove_empty: true,
    use_classes: true,
  });
  return parts.map((part) => ({
    text: part.content,
    classes: [
      ...[classOf(part.fg, 'fg'), classOf(part.bg, 'bg')].filter((name) => name !== undefined),
      ...part.decorations.map((decoration) => `ansi-${decoration}`),
    ],
    color: colorOf(part.fg, part.fg_truecolor),
    background: colorOf(part.bg, part.bg_truecolor),
  }));
}

function classOf(name: string | null, side: 'fg' | 'bg'): string | undefined {
  return name === null || /palette|truecolor/.test(name) ? undefined : `${name}-${side}`;
}

function colorOf(name: string | null, trueColor: string | null): string | undefined {
  const [, index] = /^ansi-palette-(\d+)$/.exec(name ?? '') ?? [];
  return index !== undefined ? paletteColor(Number(index)) : trueColor ? `rgb(${trueColor})` : undefined;
}

/** Of the 256 colours those behind the first 16: a cube with 6 steps of each colour, then 24 greys. */
function paletteColor(index: number): string {
  if (index >= 232) {
    const grey = 8 + (index - 232) * 10;
    return `rgb(${grey}, ${grey}, ${grey})`;
  }
  const steps = [Math.floor((index - 16) / 36), Math.floor((index - 16) / 6) % 6, (index - 16) % 6];
  return `rgb(${steps.map((step) => (step <= 0 ? 0 : 55 + step * 40)).join(', ')})`;
}
