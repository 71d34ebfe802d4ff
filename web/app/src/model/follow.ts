// Whether a list follows what comes at its end. Pure. A person decides it: by a wheel, a finger, a key, the scrollbar, a button, or by what has no
// input of its own (a search of the browser, a screen reader) and shows as a move in a layout that stayed the same. What rows turn out to measure,
// and what the browser moves for it, never does.

/** A list as it is laid out: how far it is scrolled, how high it is in all, how high its window. */
export interface Spot { top: number; total: number; window: number }

/** Nearer than that, one is at the end. */
export const END_PX = 90;
/** Browsers round. */
const SAME_PX = 1;

export const isAtEnd = ({ top, total, window }: Spot): boolean => total - window - top <= END_PX;

export class Follow {
  on = true;
  /** Somebody is on the way up. Until they rest, being near the end means nothing. */
  private going = false;
  /** Where the list was when it was last looked at, or put somewhere. */
  private spot: Spot = { top: 0, total: 0, window: 0 };

  /** Somebody turns the wheel, moves a finger, presses a key, holds the scrollbar: to go up. */
  up(): void {
    this.on = false;
    this.going = true;
  }

  down(): void {
    this.going = false;
  }

  /** Nothing has moved for a while: where somebody left the list counts. */
  rest(spot: Spot): void {
    this.spot = spot;
    this.going = false;
    this.on = isAtEnd(spot);
  }

  /** It was put there by us. */
  put(spot: Spot): void {
    this.spot = spot;
  }

  /** It is there: moved by somebody, by what was laid out, or not at all. */
  seen(spot: Spot): void {
    const was = this.spot;
    this.spot = spot;
    if (this.going) return;
    const laidOut = spot.total !== was.total || spot.window !== was.window;
    if (isAtEnd(spot)) this.on = true;
    else if (!laidOut && Math.abs(spot.top - was.top) > SAME_PX) this.on = false;
  }

  toEnd(): void {
    this.on = true;
    this.going = false;
  }

  toPlace(): void {
    this.on = false;
    this.going = false;
  }
}
