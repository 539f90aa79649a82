/**
 * What runs in the relay's container, by `node -e`, with the port as its argument: each connection to that port is a stream of
 * one HTTP/2 connection, over its standard input and output. When that ends, so does it.
 */
export const relayProgram = `
const { connect } = require('node:http2');
const { createServer } = require('node:net');
const { Duplex, pipeline } = require('node:stream');

const duplex = Duplex.from({ readable: process.stdin, writable: process.stdout });
const session = connect('http://worker', {
  createConnection: () => duplex,
  settings: { initialWindowSize: 1 << 20 },
});
session.on('connect', () => session.setLocalWindowSize(1 << 24));
session.on('error', () => {});
session.on('close', () => process.exit());

createServer({ allowHalfOpen: true }, (socket) => {
  const stream = session.request({ ':method': 'CONNECT', ':authority': 'taskcluster' }, { endStream: false });
  pipeline(socket, stream, () => {});
  pipeline(stream, socket, () => socket.destroy());
}).listen(Number(process.argv[1]), () => process.stderr.write('listening\\n'));`;
