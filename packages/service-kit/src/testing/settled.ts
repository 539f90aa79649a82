/** The value once it has stopped changing for many turns of the event loop. */
export async function settled(value: () => number): Promise<number> {
  let last = -1;
  let unchanged = 0;
  while (unchanged < 200) {
    await new Promise((resolve) => setImmediate(resolve));
    unchanged = value() === last ? unchanged + 1 : 0;
    last = value();
  }
  return last;
}
