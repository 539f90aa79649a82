import { h, type Markup, type MarkupElement } from './markup.ts';

/** A region of a page that changes by itself. */
export interface Part {
  id: string;
  content: Markup[];
}

export interface Page {
  title: string;
  /** Ways up from here: what it is, and where. */
  ways: [text: string, address: string][];
  /** Where a script hears of changes. */
  events: string;
  parts: Part[];
}

/** @param base path under which the page's own files are */
export function documentOf({ title, ways, events, parts }: Page, base: string): MarkupElement {
  return h(
    'html',
    { lang: 'en' },
    h(
      'head',
      {},
      h('meta', { charset: 'utf-8' }),
      h('meta', { name: 'viewport', content: 'width=device-width, initial-scale=1' }),
      h('title', {}, title),
      h('link', { rel: 'icon', href: `${base}/files/icon.svg`, type: 'image/svg+xml' }),
      h('link', { rel: 'stylesheet', href: `${base}/files/page.css` }),
      h('script', { type: 'module', src: `${base}/files/page.js` }),
      h('noscript', {}, h('meta', { 'http-equiv': 'refresh', content: '5' })),
    ),
    h(
      'body',
      {},
      h(
        'header',
        {},
        h(
          'nav',
          { 'aria-label': 'Pages' },
          ...ways.map(([text, address]) => h('a', { href: address }, text)),
        ),
        h('span', { id: 'connection', role: 'status' }),
        h('button', { id: 'theme', type: 'button', hidden: true }, 'Dark or light'),
      ),
      h(
        'main',
        { 'data-events': events },
        ...parts.map(({ id, content }) => h('section', { id }, ...content)),
      ),
    ),
  );
}
