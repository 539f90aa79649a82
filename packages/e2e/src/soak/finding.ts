/** A figure that a soak has found, and whether it is as it must be. */
export interface Finding {
  what: string;
  figure: number;
  isGood?: boolean;
}
