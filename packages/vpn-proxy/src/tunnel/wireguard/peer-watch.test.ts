import { expect, test } from '@jest/globals';
import { PeerWatch } from './peer-watch.ts';

const epoch = 1_800_000_000;

/** A peer whose handshake was made at the beginning; `at` tells its counters and asks, some seconds later. */
function metPeer() {
  const watch = new PeerWatch();
  const at = (seconds: number, received: number, handshake = epoch) => {
    watch.read(`handshake key=\t${handshake}`);
    watch.read(`transfer key=\t${received}\t5000`);
    return watch.judge(seconds * 1000, (epoch + seconds) * 1000);
  };
  return { watch, at };
}

test('without a handshake the peer is unmet, whatever was sent', () => {
  const { at } = metPeer();

  expect(at(1, 0, 0)).toBe('unmet');
});

test('while bytes arrive it is alive', () => {
  const { at } = metPeer();

  expect([at(0, 100), at(10, 200), at(20, 300), at(30, 400)]).toEqual(Array(4).fill('alive'));
});

test('a silence is told once, and ends in the loss of the peer', () => {
  const { at } = metPeer();

  expect([at(0, 100), at(4, 100), at(6, 100), at(7, 100), at(15, 100), at(17, 100)]).toEqual([
    'alive',
    'alive',
    'silent',
    'alive',
    'alive',
    'lost',
  ]);
});

test('an answer, or a new handshake, ends the silence', () => {
  const { at } = metPeer();
  at(0, 100);

  expect([at(17, 100), at(18, 132), at(40, 132), at(41, 132, epoch + 41)]).toEqual([
    'lost',
    'alive',
    'lost',
    'alive',
  ]);
});

test('a session that no handshake has renewed in time is over, even if bytes arrive', () => {
  const { at } = metPeer();
  at(0, 100);

  expect(at(181, 200)).toBe('lost');
});

test('lines that are no reports are left to the log', () => {
  const { watch } = metPeer();

  expect(watch.read('handshake initiation was sent')).toBe(false);
  expect(watch.read('DEBUG: (wg0) peer - Received handshake response')).toBe(false);
});
