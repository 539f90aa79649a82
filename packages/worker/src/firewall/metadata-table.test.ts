import { expect, test } from '@jest/globals';
import { ownerTag } from '../ownership/owner-tag.ts';
import { makeTable } from './block-metadata.ts';
import { metadataTable, orphanedTables } from './metadata-table.ts';
import { containerIn } from './own-image.ts';

const own = metadataTable('pool/a').name;
const dead = own.replace(/\.\d+\.\d+\.metadata$/, '.4194999.1.metadata');
const listing = `table ip filter\ntable inet ${own}\ntable inet ${dead}\ntable inet docker-worker.mine\ntable inet firewalld\n`;

test('only tables of workers that no longer run are left behind, and of them those of the name', () => {
  expect(orphanedTables(listing)).toEqual([dead]);
  expect(orphanedTables(listing, 'pool/a')).toEqual([dead]);
  expect(orphanedTables(listing, 'pool/b')).toEqual([]);
  expect(own).toBe(`docker-worker.${ownerTag({ worker: 'pool/a', taskRun: 'metadata' })}`);
});

test('a kernel that cannot refuse packets there drops them', async () => {
  const asked: string[] = [];
  const nft = Object.assign(
    async (commands: string) => {
      asked.push(commands);
      if (commands.includes('reject')) throw new Error('Operation not supported');
      return '';
    },
    { local: true },
  );

  expect(await makeTable(nft, metadataTable('pool/a'), '10.0.0.0/16', [])).toBe('drop');
  expect(asked[1]).toContain('ip saddr 10.0.0.0/16 ip daddr @addresses4 drop');
});

const id = '0123456789abcdef'.repeat(4);

test.each([
  [`/var/lib/docker/containers/${id}/hostname /etc/hostname rw`, id],
  [`/containers/storage/overlay-containers/${id}/userdata/resolv.conf /etc/resolv.conf rw`, id],
  [`/var/lib/docker/overlay2/${id}/merged / rw`, undefined],
])('the container of %s', (mount, container) => {
  expect(containerIn(`22 1 8:1 / / rw\n31 22 8:1 ${mount}\n`)).toBe(container);
});
