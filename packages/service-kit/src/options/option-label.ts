import type { Option } from './option-table.ts';

/** How an error message names an option: its flag and its variable. */
export function optionLabel(option: Option): string {
  const flag = option.flag ? `--${option.flag}` : `${option.placeholder ?? 'arguments'}`;
  return option.env ? `${flag} (${option.env})` : flag;
}
