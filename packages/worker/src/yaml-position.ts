import { type Document, isAlias, isMap, isScalar, isSeq, type LineCounter, type Node, type Pair } from 'yaml';

/** Where the deepest part of the document begins that is on the way to `keys`. */
export function position(
  lines: LineCounter,
  document: Document.Parsed,
  keys: readonly PropertyKey[],
): { line: number; col: number } {
  let node: Node | null | undefined = document.contents;
  let offset = node?.range?.[0] ?? 0;
  for (const key of keys) {
    if (isAlias(node)) {
      node = node.resolve(document);
    }
    if (isMap<Node, Node | null>(node)) {
      const pair: Pair<Node, Node | null> | undefined = node.items.find(
        (item) => isScalar(item.key) && String(item.key.value) === String(key),
      );
      offset = pair?.key.range?.[0] ?? offset;
      node = pair?.value;
    } else if (isSeq<Node>(node)) {
      node = node.items[Number(key)];
      offset = node?.range?.[0] ?? offset;
    } else {
      break;
    }
  }
  return lines.linePos(offset);
}
