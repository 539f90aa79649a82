import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { phaseSeconds } from './phase-seconds.ts';
import { resultTable } from './result-table.ts';
import type { TaskResult } from './task-result.ts';
import { checkReports, writeReports } from './write-report.ts';

const taskId = 'fN4hV0r2Q1CnR9kIwSxVMA';
const results: TaskResult[] = [
  {
    ...{ name: 'build', taskId, result: 'completed', exitCode: 0, artifacts: ['public/a', 'public/b'] },
    seconds: { waiting: 0.25, image: 1, sidecars: 0.5, running: 12.34, uploading: 1 },
  },
  {
    ...{ name: 'test <"1">', taskId, result: 'failed', exitCode: 3, artifacts: [] },
    seconds: { waiting: 100.2 },
  },
  {
    ...{ name: 'last', taskId, result: 'skipped', exitCode: undefined, artifacts: [], seconds: {} },
    reason: 'test did not complete',
  },
];

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'report-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

test('the table has a line for each task, and no colours where there is no terminal', () => {
  expect(resultTable(results, new PassThrough())).toBe(
    [
      'task        result     waiting  image  sidecars  running  uploading  artifacts\n',
      'build       completed      0.3    1.0       0.5     12.3        1.0          2\n',
      'test <"1">  failed       100.2      -         -        -          -          0\n',
      'last        skipped          -      -         -        -          -          0\n',
    ].join(''),
  );
});

test('seconds of phases end where a run did not get', () => {
  const at = (seconds: number) => new Date(1_000_000 + seconds * 1000);
  const run = { claimed: at(1), imageReady: at(3), started: at(4), exited: at(14) };

  expect(phaseSeconds(run, at(0), at(16))).toEqual({
    ...{ waiting: 1, image: 2, sidecars: 1, running: 10, uploading: 2 },
  });
  expect(phaseSeconds({ claimed: at(1) }, at(0), at(9))).toEqual({ waiting: 1 });
});

test('a report is JSON or XML by the ending of its name', async () => {
  const [json, xml] = [join(folder, 'report.json'), join(folder, 'report.xml')];
  checkReports([json, xml]);
  await writeReports([json, xml], results);

  expect(JSON.parse(await readFile(json, 'utf8'))).toEqual({ tasks: JSON.parse(JSON.stringify(results)) });
  expect(await readFile(xml, 'utf8')).toBe(`<?xml version="1.0" encoding="UTF-8"?>
<testsuites>
  <testsuite name="docker-worker run-task" tests="3" failures="1" skipped="1" time="115.290">
    <testcase name="build" classname="${taskId}" time="15.090"/>
    <testcase name="test &#60;&#34;1&#34;&#62;" classname="${taskId}" time="100.200"><failure message="failed">exit code 3</failure></testcase>
    <testcase name="last" classname="${taskId}" time="0.000"><skipped message="test did not complete"/></testcase>
  </testsuite>
</testsuites>
`);
});

test('where no report can be is told before anything runs', () => {
  expect(() => checkReports(['report.txt'])).toThrow('name a file that ends in .json, or in .xml');
  expect(() => checkReports([join(folder, 'no/where.json')])).toThrow('there is no such folder');
});
