/**
 * What a page shows, as data. The server writes it as HTML and the browser makes elements of it; text is text in both, whoever
 * wrote it.
 */
export type Markup = string | MarkupElement;

export interface MarkupElement {
  tag: string;
  attributes: Record<string, string>;
  children: Markup[];
}

type Attributes = Record<string, string | number | boolean | undefined>;
type Child = Markup | false | undefined | Child[];

/** Attributes that a browser goes to. */
const addresses = new Set(['href', 'src', 'action']);
const safeAddress = /^(https?:\/\/|\/(?!\/)|#)/i;

/**
 * An element. Attributes that are `undefined` or `false` are left out, and so is an address that is neither of the web nor of
 * this page's server, such as one that would run a script.
 */
export function h(tag: string, attributes: Attributes = {}, ...children: Child[]): MarkupElement {
  const kept = Object.entries(attributes).flatMap(([name, value]): [string, string][] => {
    if (value === undefined || value === false) {
      return [];
    }
    const text = value === true ? '' : String(value);
    return addresses.has(name) && !safeAddress.test(text) ? [] : [[name, text]];
  });
  return { tag, attributes: Object.fromEntries(kept), children: flat(children) };
}

function flat(children: Child[]): Markup[] {
  return children.flatMap((child) =>
    Array.isArray(child)
      ? flat(child)
      : child === undefined || child === false || child === ''
        ? []
        : [child],
  );
}

/** A table with a caption for those who do not see it; rows are lists of cells. */
export function table(caption: string, heads: string[], rows: Child[][]): MarkupElement {
  return h(
    'div',
    { class: 'wide', role: 'region', 'aria-label': caption, tabindex: 0 },
    h(
      'table',
      {},
      h('caption', { class: 'unseen' }, caption),
      h('thead', {}, h('tr', {}, ...heads.map((head) => h('th', { scope: 'col' }, head)))),
      h('tbody', {}, ...rows.map((cells) => h('tr', {}, ...cells.map((cell) => h('td', {}, cell))))),
    ),
  );
}
