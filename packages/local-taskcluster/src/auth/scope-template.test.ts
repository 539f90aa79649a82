import { expect, test } from '@jest/globals';
import { renderScopes } from './scope-template.ts';

test('parameters are filled in wherever they stand', () => {
  const template = { AnyOf: ['a:<x>/<y>', { AllOf: ['b', 'c:<x>'] }] };

  expect(renderScopes(template, { x: '1', y: '2' })).toEqual({ AnyOf: ['a:1/2', { AllOf: ['b', 'c:1'] }] });
});

test('a loop adds one scope for each value to the list it stands in', () => {
  const template = { AnyOf: [{ for: 'p', in: 'ps', each: 'a:<p>:<x>' }, 'z'] };

  expect(renderScopes(template, { ps: ['low', 'high'], x: '1' })).toEqual({
    AnyOf: ['a:low:1', 'a:high:1', 'z'],
  });
});

test('a loop over nothing needs nothing', () => {
  expect(renderScopes({ AllOf: [{ for: 's', in: 'ss', each: '<s>' }] }, { ss: [] })).toEqual({ AllOf: [] });
});

test('a parameter that was forgotten is an error and not an open door', () => {
  expect(() => renderScopes('a:<x>', {})).toThrow('Scope parameter x is missing');
});
