import { createServer, type ServerResponse } from 'node:http';

/**
 * Upstream for large bodies and slow answers: GET `…/bytes/N` sends N bytes, `…/slow/MS` answers after MS
 * milliseconds, and PUT takes what comes.
 *
 *   node stream-upstream.ts PORT
 */
const block = Buffer.alloc(256 * 1024);

createServer((request, response) => {
  const [, kind = '', figure = '0'] = /\/(bytes|slow)\/(\d+)$/.exec(request.url ?? '') ?? [];
  request.resume();
  if (kind === 'bytes') {
    response.writeHead(200, { 'content-length': figure });
    sendBytes(response, Number(figure));
  } else if (kind === 'slow') {
    setTimeout(() => response.end('slow'), Number(figure));
  } else {
    request.once('end', () => response.end('taken'));
  }
}).listen(Number(process.argv[2]), '127.0.0.1');

function sendBytes(response: ServerResponse, count: number): void {
  let left = count;
  function send(): void {
    while (left > 0) {
      const size = Math.min(left, block.length);
      left -= size;
      if (!response.write(block.subarray(0, size))) {
        response.once('drain', send);
        return;
      }
    }
    response.end();
  }
  send();
}
