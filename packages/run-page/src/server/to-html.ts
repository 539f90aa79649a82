import type { Markup } from '../views/markup.ts';

const withoutEnd = new Set(['meta', 'link', 'input', 'br']);
const entities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

export function toHtml(markup: Markup): string {
  if (typeof markup === 'string') {
    return escaped(markup);
  }
  const { tag, attributes, children } = markup;
  const inTag = Object.entries(attributes).map(([name, value]) => ` ${name}="${escaped(value)}"`);
  const start = `<${tag}${inTag.join('')}>`;
  return withoutEnd.has(tag) ? start : `${start}${children.map(toHtml).join('')}</${tag}>`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? character);
}
