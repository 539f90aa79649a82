import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { errorBody } from './error-body.ts';

/** Answers what is no HTTP request, saying why, and closes the connection. For a server's `clientError` event. */
export function answerUnreadableRequest(error: NodeJS.ErrnoException, socket: Duplex): void {
  const { _httpMessage: current } = socket as Duplex & { _httpMessage?: { headersSent: boolean } | null };
  // Behind the head of an answer a second one would be taken for a part of it.
  if (socket.writable && error.code !== 'ECONNRESET' && !current?.headersSent) {
    const [status, message] = verdict(error);
    const text = JSON.stringify(errorBody('InputError', message, ''));
    socket.write(
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Type: application/json\r\n` +
        `Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
    );
  }
  socket.destroy(error);
}

function verdict({ code, reason }: NodeJS.ErrnoException & { reason?: string }): [number, string] {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return [431, 'the headers are larger than is accepted'];
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return [413, 'the extensions of chunks are larger than is accepted'];
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return [408, 'the request did not arrive in time'];
    case 'HPE_INVALID_URL':
      return [
        400,
        'the URL holds a byte that is not allowed there; bytes other than printable ASCII must be percent-encoded, as %C3%BC for ü',
      ];
    default:
      return [400, `the request is no valid HTTP: ${reason ?? 'it cannot be read'}`];
  }
}
