/** A form as an object: `a[]=1&a[]=2&b=3` is `{a: ['1', '2'], b: '3'}`. */
export function parseForm(text: string): Record<string, string | string[]> {
  const form: Record<string, string | string[]> = {};
  for (const [key, value] of new URLSearchParams(text)) {
    if (key.endsWith('[]')) {
      const name = key.slice(0, -2);
      form[name] = [...(form[name] ?? []), value];
    } else {
      form[key] = value;
    }
  }
  return form;
}
