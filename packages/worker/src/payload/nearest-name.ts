/** The candidate that `name` is most probably a misspelling or an abbreviation of. */
export function nearestName(name: string, candidates: readonly string[]): string | undefined {
  const limit = Math.max(1, Math.floor(name.length / 3));
  const ranked = candidates
    .map((candidate) => ({ candidate, distance: editDistance(name.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ distance }) => distance <= limit)
    .sort((a, b) => a.distance - b.distance);
  return ranked[0]?.candidate ?? candidates.find((candidate) => isShortFor(name, candidate));
}

/** `cmd` for `command`: the letters of the one occur in the other in the same order. */
function isShortFor(name: string, candidate: string): boolean {
  let rest = candidate.toLowerCase();
  const letters = name.toLowerCase();
  if (letters.length < 3 || letters[0] !== rest[0]) {
    return false;
  }
  for (const letter of letters) {
    const index = rest.indexOf(letter);
    if (index === -1) {
      return false;
    }
    rest = rest.slice(index + 1);
  }
  return true;
}

/** How many letters have to be added, dropped or replaced to make one text of the other. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let line = 1; line <= from.length; line += 1) {
    const next = [line];
    for (let column = 1; column <= to.length; column += 1) {
      const replaced = at(row, column - 1) + (from[line - 1] === to[column - 1] ? 0 : 1);
      next.push(Math.min(replaced, at(row, column) + 1, at(next, column - 1) + 1));
    }
    row = next;
  }
  return at(row, to.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY;
}
