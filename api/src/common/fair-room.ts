/** Room for so many things of many owners. Nobody takes more of it than is left, so there is always some for who comes next. */
export class FairRoom {
  private readonly taken = new Map<string, number>();
  private left: number;

  constructor(most: number) {
    this.left = most;
  }

  /** False when there is no room, or not for that owner. */
  enter(owner: string): boolean {
    const own = this.taken.get(owner) ?? 0;
    if (own >= this.left) return false;
    this.taken.set(owner, own + 1);
    this.left -= 1;
    return true;
  }

  /** What has entered goes. */
  leave(owner: string): void {
    const own = this.taken.get(owner) ?? 0;
    if (own > 1) this.taken.set(owner, own - 1);
    else this.taken.delete(owner);
    this.left += 1;
  }
}
