import { mean, median } from '../averages.ts';
import { type Block, WatchedRun } from './watched-run.ts';

/** Blocks for which somebody follows, or nobody does, before that changes. */
const blocksOfTurn = 12;

/** Follows the log of a run by its page until the signal aborts; tells whenever lines have come. */
export type Follow = (page: string, signal: AbortSignal, onLines: () => void) => Promise<void>;

/** How many times as long a block takes, and as much of a processor. */
export interface Ratio {
  time: number;
  processor: number;
}

/** A run with a page that nobody looks at, beside one without a page at the same time: whatever else the machine does slows both. */
export async function ratioOfPage(script: string, folder: string): Promise<Ratio> {
  const blocksOf = async (page: boolean) => {
    await using run = new WatchedRun(script, { folder, name: `page-${page}`, page });
    return await Array.fromAsync(run.blocks());
  };
  const [without, withPage] = await Promise.all([blocksOf(false), blocksOf(true)]);
  return ratio(withPage, without);
}

/** One run, of which the log is followed and not followed by turns. */
export async function ratioOfFollowing(script: string, folder: string, follow: Follow): Promise<Ratio> {
  await using run = new WatchedRun(script, { folder, name: 'followed', page: true });
  const [followed, alone]: [Block[], Block[]] = [[], []];
  let follower: Follower | undefined;
  let ofTurn = 0;
  for await (const block of run.blocks()) {
    if (follower === undefined) {
      alone.push(block);
      if (++ofTurn === blocksOfTurn) {
        follower = startFollower(follow, await run.page);
        ofTurn = 0;
      }
    } else if (follower.state === 'follows') {
      // The first of them began before somebody followed.
      if (ofTurn > 0) followed.push(block);
      if (++ofTurn > blocksOfTurn) follower.leave();
    } else if (follower.state === 'gone') {
      await follower.gone;
      follower = undefined;
      ofTurn = 0;
    }
  }
  follower?.leave();
  await follower?.gone;
  if (followed.length < 2 * blocksOfTurn) {
    throw new Error(`only ${followed.length} blocks were followed`);
  }
  return ratio(followed, alone);
}

interface Follower {
  state: 'comes' | 'follows' | 'leaves' | 'gone';
  gone: Promise<void>;
  leave(): void;
}

function startFollower(follow: Follow, page: string): Follower {
  const leaving = new AbortController();
  const follower: Follower = {
    state: 'comes',
    gone: Promise.resolve(),
    leave() {
      follower.state = 'leaves';
      leaving.abort();
    },
  };
  follower.gone = follow(page, leaving.signal, () => {
    if (follower.state === 'comes') follower.state = 'follows';
  }).finally(() => {
    follower.state = 'gone';
  });
  // Heard of by who awaits it.
  follower.gone.catch(() => {});
  return follower;
}

function ratio(these: Block[], those: Block[]): Ratio {
  return {
    time: median(these.map(({ time }) => time)) / median(those.map(({ time }) => time)),
    // Of single blocks the kernel's hundredths are too coarse.
    processor: mean(these.map(({ processor }) => processor)) / mean(those.map(({ processor }) => processor)),
  };
}
