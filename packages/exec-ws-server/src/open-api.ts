import { empty, inPath, openApi, operation, type Responses, text } from '@docker-worker/service-kit/open-api';

const secret = { secret: 'The secret that the service was given.' };

/** The routes as an OpenAPI document. WebSockets are GETs that end in 101; their messages are described in the README. */
export function openApiDocument(version: string): object {
  const nothing = text('There is nothing here; a wrong secret as well.', {
    const: 'There is nothing here.\n',
  });
  const paths = {
    '/{secret}': page('Go to the page', { 308: empty('The same with a slash at its end.'), 404: nothing }),
    '/{secret}/': page('The page with the terminal', { 200: file('text/html'), 404: nothing }),
    '/{secret}/shell.js': page('Its code', { 200: file('text/javascript'), 404: nothing }),
    '/{secret}/shell.css': page('Its style', { 200: file('text/css'), 404: nothing }),
    '/{secret}/icon.svg': page('Its icon', { 200: file('image/svg+xml'), 404: nothing }),
    '/{secret}/session': webSocket('WebSocket of the page', {
      session: ['The shell to come back to.', { type: 'string' }],
      have: ['How many bytes of it the page has seen.', { type: 'integer' }],
    }),
    '/{secret}/shell.sock': webSocket('WebSocket of version 1: runs a command', {
      tty: ['Whether the command gets a terminal.', { type: 'boolean' }],
      command: [
        'An argument of the command, as often as there are.',
        { type: 'array', items: { type: 'string' } },
      ],
    }),
    '/shell/{secret}': webSocket(
      'WebSocket of version 2: opens a shell',
      {},
      { 401: text('Another secret.') },
    ),
  };
  const description = 'Lets people log into one container: a page, and WebSockets for programs.';
  return openApi({ title: 'exec-ws-server', version, description, paths });
}

function page(summary: string, responses: Responses): object {
  return { ...inPath(secret), get: operation(summary, responses) };
}

function file(type: string): object {
  return { description: 'Never cached.', content: { [type]: { schema: { type: 'string' } } } };
}

function webSocket(
  summary: string,
  query: Record<string, [description: string, schema: object]>,
  refusals: Responses = {},
): object {
  const parameters = Object.entries(query).map(([name, [description, schema]]) => {
    return { name, in: 'query', description, schema };
  });
  const responses = {
    101: empty('A WebSocket.'),
    400: text('No WebSocket is here; a wrong secret as well.'),
    403: text('This page’s origin may not connect.'),
    429: text('Too many connections in too short a time.'),
    ...refusals,
  };
  return { ...inPath(secret), get: { ...operation(summary, responses), parameters } };
}
