import type { Markup } from '../views/markup.ts';

const svg = 'http://www.w3.org/2000/svg';

/** Makes nodes of what the server sent. Nothing is parsed: text becomes text. */
export function toDom(markup: Markup, namespace?: string): Node {
  if (typeof markup === 'string') {
    return document.createTextNode(markup);
  }
  const inside = markup.tag === 'svg' ? svg : namespace;
  const element =
    inside === undefined ? document.createElement(markup.tag) : document.createElementNS(inside, markup.tag);
  for (const [name, value] of Object.entries(markup.attributes)) {
    element.setAttribute(name, value);
  }
  element.append(...markup.children.map((child) => toDom(child, inside)));
  return element;
}
