import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

const waiting = Symbol('requests that wait for their turn');

type Connection = Socket & { [waiting]?: number };

/**
 * Handles the requests of each connection one after the other, as they have to be answered. While some wait, nothing
 * is read: what a client can send ahead is bounded by what fits into one read, and not by what it likes.
 *
 * @param mostWaiting of all connections together; a connection that brings more is closed
 */
export function oneAtATime(handle: RequestListener, mostWaiting: number): RequestListener {
  let allWaiting = 0;
  return (request, response) => {
    // Node gives the connection to one response at a time, in the order of the requests.
    if (response.socket === null) wait(request, response);
    else handle(request, response);
  };

  function wait(request: IncomingMessage, response: ServerResponse): void {
    const connection: Connection = request.socket;
    if (allWaiting >= mostWaiting) {
      connection.destroy();
      return;
    }
    allWaiting += 1;
    if (connection[waiting] === undefined) {
      connection[waiting] = 0;
      connection.once('close', () => {
        allWaiting -= connection[waiting] ?? 0;
      });
      // Node itself resumes a connection behind each request that has arrived as a whole.
      connection.on('resume', () => connection[waiting] && connection.pause());
    }
    connection[waiting] += 1;
    connection.pause();
    response.once('socket', () => {
      allWaiting -= 1;
      connection[waiting] = (connection[waiting] ?? 1) - 1;
      if (connection[waiting] === 0) connection.resume();
      // Other connections have their turn in between.
      setImmediate(() => {
        if (!response.destroyed) handle(request, response);
      });
    });
  }
}
