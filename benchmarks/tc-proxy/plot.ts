import type { Figures } from '../figures.ts';
import { concurrencies } from './tables.ts';

const series = {
  'nginx, unsigned': '#999',
  'tc-proxy': '#2a6fdb',
  'stock http-proxy': '#e0a030',
  'bare relay, unsigned': '#8fbf8f',
};

/** Requests per second as an SVG document. */
export function plot(figures: Figures): string {
  return barPlot(
    'Signed requests per second on one core, by connections (nginx, bare relay: unsigned)',
    concurrencies.map(String),
    Object.entries(series).map(([name, color]) => ({
      name,
      color,
      values: concurrencies.map((connections) => figures.median(name, `requestsPerSecond ${connections}`)),
    })),
  );
}

interface Series {
  name: string;
  color: string;
  values: number[];
}

const width = 720;
const height = 320;
const left = 60;
const bottom = 50;
const top = 50;

function barPlot(title: string, groups: readonly string[], series: readonly Series[]): string {
  const highest = Math.max(...series.flatMap(({ values }) => values));
  const step = niceStep(highest / 5);
  const limit = Math.ceil(highest / step) * step;
  const y = (value: number) => height - bottom - (value / limit) * (height - bottom - top);
  const groupWidth = (width - left - 20) / groups.length;
  const barWidth = (groupWidth * 0.8) / series.length;
  const parts: string[] = [];

  for (let value = 0; value <= limit; value += step) {
    parts.push(line(left, width - 20, y(value)));
    parts.push(text(left - 8, y(value) + 4, value.toLocaleString('en'), 'end'));
  }
  groups.forEach((group, index) => {
    const start = left + index * groupWidth + groupWidth * 0.1;
    parts.push(text(start + groupWidth * 0.4, height - bottom + 20, group, 'middle'));
    series.forEach(({ values, color }, position) => {
      const value = values[index] ?? 0;
      const x = start + position * barWidth;
      const size = `width="${(barWidth - 3).toFixed(1)}" height="${(y(0) - y(value)).toFixed(1)}"`;
      parts.push(`<rect x="${x.toFixed(1)}" y="${y(value).toFixed(1)}" ${size} fill="${color}"/>`);
    });
  });
  series.forEach(({ name, color }, index) => {
    const x = left + index * 180;
    parts.push(`<rect x="${x}" y="${height - 18}" width="12" height="12" fill="${color}"/>`);
    parts.push(text(x + 18, height - 8, name, 'start'));
  });
  const size = `width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" ${size} font-family="sans-serif" font-size="12">`,
    `<title>${title}</title>`,
    '<rect width="100%" height="100%" fill="#fff"/>',
    `<text x="${left}" y="24" font-size="15">${title}</text>`,
    ...parts,
    '</svg>\n',
  ].join('\n');
}

function line(x1: number, x2: number, y: number): string {
  return `<line x1="${x1}" x2="${x2}" y1="${y.toFixed(1)}" y2="${y.toFixed(1)}" stroke="#ddd"/>`;
}

function text(x: number, y: number, content: string, anchor: string): string {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}" fill="#333">${content}</text>`;
}

function niceStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  return ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power;
}
