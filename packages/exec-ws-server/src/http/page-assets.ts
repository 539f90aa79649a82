import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface Asset {
  headers: Record<string, string>;
  body: Buffer | string;
}

const types: Record<string, string> = {
  'shell.js': 'text/javascript; charset=utf-8',
  'shell.css': 'text/css; charset=utf-8',
  'icon.svg': 'image/svg+xml',
};

/** Beside the bundle, or where the build puts it when the sources run. */
export function builtAssets(): string {
  const candidates = [join(import.meta.dirname, 'assets'), join(import.meta.dirname, '../../dist/assets')];
  return candidates.find((folder) => existsSync(join(folder, 'shell.html'))) ?? (candidates[0] as string);
}

/** The page's files, read once; `undefined` for any other name. */
export class PageAssets {
  readonly #folder: string;
  readonly #files = new Map<string, Buffer>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  async get(name: string): Promise<Asset | undefined> {
    if (name === '') {
      return this.#page();
    }
    const type = types[name];
    return type === undefined
      ? undefined
      : { headers: { ...commonHeaders, 'content-type': type }, body: await this.#read(name) };
  }

  /** The terminal makes style elements as it runs, so the page's policy names a nonce that they carry. */
  async #page(): Promise<Asset> {
    const nonce = randomBytes(16).toString('base64');
    const html = (await this.#read('shell.html')).toString().replaceAll('{{nonce}}', nonce);
    return {
      headers: {
        ...commonHeaders,
        'content-type': 'text/html; charset=utf-8',
        'content-security-policy': [
          "default-src 'none'",
          "script-src 'self'",
          `style-src 'self' 'nonce-${nonce}'`,
          "img-src 'self'",
          "connect-src 'self'",
          "base-uri 'none'",
          "form-action 'none'",
          "frame-ancestors 'none'",
        ].join('; '),
        'cross-origin-opener-policy': 'same-origin',
      },
      body: html,
    };
  }

  async #read(name: string): Promise<Buffer> {
    const known = this.#files.get(name);
    const content = known ?? (await readFile(join(this.#folder, name)));
    this.#files.set(name, content);
    return content;
  }
}

/** The address holds the secret: it goes into no cache and no other site's log. */
const commonHeaders = {
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};
