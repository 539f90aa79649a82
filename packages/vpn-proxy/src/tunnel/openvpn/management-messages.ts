/** What OpenVPN says on its management socket, as far as it matters here. */
export type ManagementMessage =
  | { type: 'hold' }
  | { type: 'state'; name: string; detail: string; localAddress: string }
  | { type: 'up' | 'down' }
  | { type: 'variable'; name: string; value: string }
  | { type: 'variables-end' }
  | { type: 'auth-failed'; detail: string };

/** Reads one line; undefined for what does not matter. */
export function parseManagementLine(line: string): ManagementMessage | undefined {
  const message = /^>([A-Z]+):(.*)$/.exec(line.trimEnd());
  const [, source, text = ''] = message ?? [];
  switch (source) {
    case 'HOLD':
      return { type: 'hold' };
    case 'STATE': {
      const [, name = '', detail = '', localAddress = ''] = text.split(',');
      return { type: 'state', name, detail, localAddress };
    }
    case 'UPDOWN': {
      if (text === 'UP' || text === 'DOWN') return { type: text === 'UP' ? 'up' : 'down' };
      if (text === 'ENV,END') return { type: 'variables-end' };
      const [, name, value = ''] = /^ENV,([^=]+)=(.*)$/.exec(text) ?? [];
      return name ? { type: 'variable', name, value } : undefined;
    }
    case 'PASSWORD':
      return text.startsWith('Verification Failed') ? { type: 'auth-failed', detail: text } : undefined;
    default:
      return undefined;
  }
}
