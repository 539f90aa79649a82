import { request } from 'node:http';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { FileLog } from '../testing/file-log.ts';
import type { RunView, TaskAction } from '../views/page-views.ts';
import type { OpenArtifact, PageSource } from './page-source.ts';
import { type ServedPages, serveRunPages } from './serve-run-pages.ts';

const taskId = 'fN1SbArXTPSVFNUvaOlinQ';
const hostile = `<img src=x onerror="alert(1)">'"`;

class TestSource implements PageSource {
  readonly listeners = new Set<() => void>();
  readonly asked: [string, TaskAction][] = [];
  readonly files = new Map<string, OpenArtifact>();
  readonly view: RunView = {
    ...{ taskId, runId: 0, otherRuns: [1], name: hostile, description: hostile, groupId: taskId },
    ...{ state: 'running', reason: undefined, hasLog: true, shell: 'http://127.0.0.1:1/secret/' },
    phases: [{ name: 'running', from: '2026-01-02T03:04:05.000Z' }],
    artifacts: [
      { name: `public/${hostile}`, contentType: 'text/html', bytes: 12 },
      { name: 'public/link', contentType: 'text/plain', elsewhere: 'javascript:alert(1)' },
    ],
    scopes: [`secrets:get:${hostile}`],
    definition: { payload: { command: [hostile] } },
    actions: ['cancel'],
  };
  fileLog: FileLog | undefined;
  isGone = false;

  change(changed: Partial<RunView>): void {
    Object.assign(this.view, changed);
    for (const listener of this.listeners) {
      listener();
    }
  }

  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  async run(asked: string): Promise<RunView | undefined> {
    return asked === taskId && !this.isGone ? structuredClone(this.view) : undefined;
  }

  async log() {
    return this.fileLog;
  }

  async artifact(_taskId: string, _runId: number, name: string) {
    return this.files.get(name);
  }

  async group(groupId: string) {
    const { name, state } = this.view;
    const task = { taskId, runId: 0, name, state, dependencies: [hostile], actions: ['rerun' as const] };
    return groupId === taskId ? { groupId, tasks: [task] } : undefined;
  }

  async groups() {
    return [{ groupId: taskId, name: hostile, states: ['running' as const] }];
  }

  async act(asked: string, action: TaskAction): Promise<void> {
    this.asked.push([asked, action]);
  }
}

let source: TestSource;
let pages: ServedPages;
let run: string;
beforeEach(async () => {
  source = new TestSource();
  source.fileLog = await FileLog.create('first\nsecond\n');
  pages = await serveRunPages(source);
  run = `${pages.url}tasks/${taskId}/0`;
});
afterEach(async () => {
  await pages[Symbol.asyncDispose]();
  await source.fileLog?.[Symbol.asyncDispose]();
});

test.each(['', `groups/${taskId}`, `tasks/${taskId}/0`])(
  'without a script a page tells the state, and no text of a task is markup: /%s',
  async (path) => {
    const answer = await fetch(`${pages.url}${path}`);
    const html = await answer.text();

    expect(answer.status).toBe(200);
    expect(html).toContain('running');
    expect(html).not.toContain('<img');
    expect(html).not.toContain('javascript:');
    expect(html.match(/<script/g)).toHaveLength(1);
    expect(html).not.toMatch(/\sstyle=/);
    expect(answer.headers.get('content-security-policy')).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; frame-src 'self'; " +
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    );
    expect(answer.headers.get('referrer-policy')).toBe('no-referrer');
    expect(answer.headers.get('cache-control')).toBe('no-store');
  },
);

test('without a script the page of a run leads to its log, its artifacts and its shell', async () => {
  const html = await (await fetch(run)).text();
  const path = new URL(run).pathname;

  expect(html).toContain(`href="${path}/log"`);
  expect(html).toContain(`${path}/artifact?name=${encodeURIComponent('public/')}`);
  expect(html).toContain('href="http://127.0.0.1:1/secret/"');
  expect(html).toContain('read the secret');
});

test('who does not know the address finds nothing', async () => {
  const { origin } = new URL(pages.url);

  for (const path of ['/', `/tasks/${taskId}/0`, '/files/page.js', `/${'A'.repeat(22)}/`]) {
    expect((await fetch(`${origin}${path}`)).status).toBe(404);
  }
});

test.each([
  'tasks/nothing/0',
  `tasks/${'A'.repeat(22)}/0`,
  `tasks/${taskId}/x`,
  `tasks/${taskId}/0/log/lines?from=-1&count=5`,
  `tasks/${taskId}/0/log/lines?from=0&count=100000`,
  `tasks/${taskId}/0/artifact?name=nothing`,
  `tasks/${taskId}/0/artifact`,
  'files/package.json',
  'groups/AAAAAAAAAAAAAAAAAAAAAA/events',
])('what is not there is told as that: /%s', async (path) => {
  const answer = await fetch(`${pages.url}${path}`);

  expect(answer.status).toBe(404);
  expect(answer.headers.get('content-type')).toContain('text/plain');
});

test('the log comes whole, by ranges, by lines, and by what is in it', async () => {
  const whole = await fetch(`${run}/log`);
  expect(await whole.text()).toBe('first\nsecond\n');
  expect(whole.headers.get('content-type')).toBe('text/plain; charset=utf-8');
  expect(whole.headers.get('content-security-policy')).toContain('sandbox');

  const part = await fetch(`${run}/log`, { headers: { range: 'bytes=6-11' } });
  expect([part.status, await part.text(), part.headers.get('content-range')]).toEqual([
    206,
    'second',
    'bytes 6-11/13',
  ]);
  const end = await fetch(`${run}/log`, { headers: { range: 'bytes=-3' } });
  expect(await end.text()).toBe('nd\n');
  const outside = await fetch(`${run}/log`, { headers: { range: 'bytes=99-' } });
  expect([outside.status, await outside.text()]).toEqual([200, 'first\nsecond\n']);

  const download = await fetch(`${run}/log?download=1`);
  expect(download.headers.get('content-disposition')).toBe(`attachment; filename="${taskId}-0.log"`);
  expect(await (await fetch(`${run}/log/lines?from=1&count=5`)).json()).toEqual({
    from: 1,
    lines: ['second'],
  });
  expect(await (await fetch(`${run}/log/search?text=SEC`)).json()).toEqual({ lines: [1], more: false });
});

test.each([
  ['text/html', 'text/html', 'inline'],
  ['image/svg+xml', 'image/svg+xml', 'inline'],
  ['application/javascript', 'application/octet-stream', 'attachment'],
  ['application/xhtml+xml', 'application/octet-stream', 'attachment'],
])('an artifact of type %s runs nothing, also when it is opened by itself', async (type, sent, how) => {
  const name = 'public/../"a\nb/ü*.html';
  const body = '<script>alert(1)</script>';
  source.files.set(name, { contentType: type, contentLength: body.length, stream: Readable.from([body]) });

  const answer = await fetch(`${run}/artifact?name=${encodeURIComponent(name)}`);

  expect(await answer.text()).toBe(body);
  expect(answer.headers.get('content-type')).toBe(sent);
  expect(answer.headers.get('content-disposition')).toBe(`${how}; filename*=UTF-8''%C3%BC%2a.html`);
  expect(answer.headers.get('content-security-policy')).toMatch(/^sandbox; default-src 'none';/);
  expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
});

test('events tell of the parts that have changed, and of a log that grows', async () => {
  await using events = await follow(`${run}/events`);
  expect((await events.until('log')).data).toEqual({ lines: 2, bytes: 13, ended: false });

  await source.fileLog?.write('third\n');
  expect((await events.until('log')).data).toEqual({ lines: 3, bytes: 19, ended: false });
  source.change({ state: 'failed', reason: 'failed', actions: ['rerun'] });
  const { data } = await events.until('part');
  expect(data).toMatchObject({ id: 'state' });
  expect(JSON.stringify(data)).toContain('Run again');
  source.isGone = true;
  source.change({});
  await events.until('gone');
});

test('a reader that has left is not told anything any more', async () => {
  {
    await using events = await follow(`${run}/events`);
    await events.until('log');
    expect([source.listeners.size, source.fileLog?.followers]).toEqual([1, 1]);
  }

  while (source.listeners.size > 0 || source.fileLog?.followers !== 0) {
    await new Promise((resolve) => setImmediate(resolve));
  }
});

test.each<[string, Record<string, string>, number]>([
  ['a page of its own', { 'sec-fetch-site': 'same-origin' }, 303],
  ['a page of its own, in an older browser', { origin: 'OWN' }, 303],
  ['another site', { 'sec-fetch-site': 'cross-site', origin: 'https://elsewhere.example' }, 403],
  ['another port of this machine', { 'sec-fetch-site': 'same-site', origin: 'http://127.0.0.1:1' }, 403],
  ['another site, in an older browser', { origin: 'https://elsewhere.example' }, 403],
  ['a frame that may do nothing', { origin: 'null' }, 403],
  ['who does not say', {}, 403],
])('a task is cancelled for %s: %j gives %i', async (_who, headers, status) => {
  const { origin } = new URL(pages.url);
  const given = headers.origin === 'OWN' ? { origin } : headers;

  expect(await post(`${pages.url}tasks/${taskId}/cancel`, given)).toBe(status);
  expect(source.asked).toEqual(status === 303 ? [[taskId, 'cancel']] : []);
});

test('nothing but what is offered can be asked for', async () => {
  expect(await post(`${pages.url}tasks/${taskId}/delete`, { 'sec-fetch-site': 'same-origin' })).toBe(404);
  expect((await fetch(`${pages.url}tasks/${taskId}/cancel`)).status).toBe(404);
  expect(source.asked).toEqual([]);
});

/** As a browser sends a form without fields; fetch sets headers of its own. */
function post(url: string, headers: Record<string, string>): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const all = { 'content-type': 'application/x-www-form-urlencoded', 'content-length': '0', ...headers };
    request(url, { method: 'POST', headers: all }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    })
      .on('error', reject)
      .end();
  });
}

interface Followed extends AsyncDisposable {
  /** Reads on to the next event of that name. */
  until(name: string): Promise<{ data: unknown }>;
}

async function follow(url: string): Promise<Followed> {
  const leaving = new AbortController();
  const answer = await fetch(url, { signal: leaving.signal });
  expect(answer.headers.get('content-type')).toBe('text/event-stream');
  const pieces = (answer.body as ReadableStream<Uint8Array>)
    .pipeThrough(new TextDecoderStream() as unknown as TransformStream<Uint8Array, string>)
    [Symbol.asyncIterator]();
  let rest = '';
  return {
    async until(name) {
      for (;;) {
        const [, event, data] = /^event: (\w+)\ndata: (.*)\n\n/.exec(rest) ?? [];
        if (event === undefined) {
          const { value, done } = await pieces.next();
          if (done) {
            throw new Error(`no event ${name} has come`);
          }
          rest += value;
          continue;
        }
        rest = rest.slice(rest.indexOf('\n\n') + 2);
        if (event === name) {
          return { data: JSON.parse(data as string) };
        }
      }
    },
    async [Symbol.asyncDispose]() {
      leaving.abort();
    },
  };
}
