import { isOrphanTag } from '../containers/sweep.ts';
import { ownerOfTag, ownerTag } from '../ownership/owner-tag.ts';
import { metadataAddresses } from './metadata-addresses.ts';

const prefix = 'docker-worker.';
const addressSet = 'addresses4';

/** How a packet ends: the sender is told, or, where the kernel is older than 5.9, it waits in vain. */
export type Verdict = 'reject' | 'drop';

/** The table of nftables that one worker keeps its tasks from metadata services with; its name says whose it is. */
export interface MetadataTable {
  name: string;
  /** Commands that make it, whatever was there before under its name. */
  create(range: string, verdict: Verdict): string;
  delete(): string;
  /** Puts one more address under the same rule, or takes it away again. */
  include(address: string): string;
  exclude(address: string): string;
}

export function metadataTable(worker: string): MetadataTable {
  const name = prefix + ownerTag({ worker, taskRun: 'metadata' });
  const table = `inet ${name}`;
  return {
    name,
    create: (range, verdict) => `
add table ${table}
delete table ${table}
table ${table} {
  set ${addressSet} { type ipv4_addr; flags interval; elements = { ${metadataAddresses.v4.join(', ')} }; }
  set addresses6 { type ipv6_addr; elements = { ${metadataAddresses.v6.join(', ')} }; }
  chain tasks {
    ${beforeRedirection}
    ${namesAreResolved}
    ip saddr ${range} ip daddr @${addressSet} ${verdict === 'drop' ? 'drop' : 'reject with icmp type admin-prohibited'}
    meta iifkind "bridge" ip6 daddr @addresses6 ${verdict === 'drop' ? 'drop' : 'reject with icmpv6 type admin-prohibited'}
  }
}`,
    delete: () => deleteTable(name),
    include: (address) => `add element ${table} ${addressSet} { ${address} }`,
    exclude: (address) => `delete element ${table} ${addressSet} { ${address} }`,
  };
}

/** Agents on the host get their packets by redirection, after which the address would be another one. */
const beforeRedirection = 'type filter hook prerouting priority -150; policy accept;';

/** Google and Azure have name servers at the same addresses, and nothing else listens on that port. */
const namesAreResolved = 'meta l4proto { tcp, udp } th dport 53 accept';

export function deleteTable(name: string): string {
  return `delete table inet ${name}`;
}

/**
 * The tables among all of a host, as `nft list tables` prints them, that workers left which no longer run.
 *
 * @param worker limits them to those of one name
 */
export function orphanedTables(listing: string, worker?: string): string[] {
  return [...listing.matchAll(/^table inet (\S+)$/gm)]
    .map(([, name = '']) => name)
    .filter((name) => name.startsWith(prefix) && ownerOfTag(name.slice(prefix.length)) !== undefined)
    .filter((name) => isOrphanTag(name.slice(prefix.length), false, worker));
}
