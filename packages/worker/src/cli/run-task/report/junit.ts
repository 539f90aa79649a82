import { type TaskResult, totalSeconds } from './task-result.ts';

/** The results as JUnit's XML: each task is a test, of which those that need another that did not complete are skipped. */
export function junit(results: TaskResult[]): string {
  const count = (is: (result: TaskResult) => boolean) => results.filter(is).length;
  const time = results.reduce((sum, result) => sum + totalSeconds(result), 0);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites>`,
    `  <testsuite name="docker-worker run-task" tests="${results.length}" failures="${count(isFailure)}" ` +
      `skipped="${count(isSkipped)}" time="${time.toFixed(3)}">`,
    ...results.map(testCase),
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}

function testCase(result: TaskResult): string {
  const { name, taskId, exitCode, reason = '' } = result;
  const begin = `    <testcase name="${escaped(name)}" classname="${escaped(taskId)}" time="${totalSeconds(result).toFixed(3)}"`;
  if (isSkipped(result)) {
    return `${begin}><skipped message="${escaped(reason)}"/></testcase>`;
  }
  return isFailure(result)
    ? `${begin}><failure message="${escaped(result.result)}">exit code ${exitCode}</failure></testcase>`
    : `${begin}/>`;
}

function isSkipped({ result }: TaskResult): boolean {
  return result === 'skipped';
}

function isFailure({ result }: TaskResult): boolean {
  return result !== 'skipped' && result !== 'completed';
}

/** For an attribute; what XML 1.0 has no form for is left out. */
function escaped(text: string): string {
  return text
    .replace(/[^\t\n\r\u0020-\uFFFD\u{10000}-\u{10FFFF}]/gu, '')
    .replace(/[&<>"\t\n\r]/g, (character) => `&#${character.charCodeAt(0)};`);
}
