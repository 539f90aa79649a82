/** Counts down to `endsAt` (milliseconds since 1970) in words. */
export function showRemaining(endsAt: number, show: (text: string) => void): void {
  function update(): void {
    show(inWords(Math.max(0, Math.round((endsAt - Date.now()) / 1000))));
  }
  update();
  setInterval(update, 1000);
}

function inWords(seconds: number): string {
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  const two = (value: number) => String(value).padStart(2, '0');
  return hours > 0 ? `${hours} h ${two(minutes)} min` : `${minutes}:${two(seconds % 60)} min`;
}
