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
  private going: { readonly wasOn: boolean; moved: boolean } | null = null;
  /** Where the list was when it was last looked at, or put somewhere. */
  private spot: Spot = { top: 0, total: 0, window: 0 };

  /** Somebody turns the wheel, lays a finger on it, presses a key, holds the scrollbar: maybe to go up. */
  up(): void {
    this.going ??= { wasOn: this.on, moved: false };
    this.on = false;
  }

  down(): void {
    if (this.going) this.on = this.going.wasOn && !this.going.moved;
    this.going = null;
  }

  /** Nothing has moved for a while: where somebody left the list counts. Says whether they left it where it was, to be followed on. */
  rest(spot: Spot): boolean {
    this.note(spot);
    const stayed = this.going !== null && this.going.wasOn && !this.going.moved;
    this.going = null;
    this.on = stayed || isAtEnd(spot);
    return stayed;
  }

  /** It was put there by us. */
  put(spot: Spot): void {
    this.note(spot);
  }

  /** Further up than when it was last looked at, and not because there is less of it. */
  wentUp(spot: Spot): boolean {
    return spot.top < this.spot.top - SAME_PX && spot.total >= this.spot.total && spot.window <= this.spot.window;
  }

  /** It is there: moved by somebody, by what was laid out, or not at all. */
  seen(spot: Spot): void {
    const was = this.spot;
    this.note(spot);
    if (this.going) return;
    const laidOut = spot.total !== was.total || spot.window !== was.window;
    if (isAtEnd(spot)) this.on = true;
    else if (!laidOut && Math.abs(spot.top - was.top) > SAME_PX) this.on = false;
  }

  toEnd(): void {
    this.on = true;
    this.going = null;
  }

  toPlace(): void {
    this.on = false;
    this.going = null;
  }

  private note(spot: Spot): void {
    if (this.going && this.wentUp(spot)) this.going.moved = true;
    this.spot = spot;
  }
}
