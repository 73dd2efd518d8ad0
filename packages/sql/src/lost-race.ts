/** Thrown by a work when another transaction was faster, so that all of its own has to begin again from the start; a driver with one writer never sees it. */
export class LostRace extends Error {
  constructor() {
    super("Another transaction was faster.");
    this.name = "LostRace";
  }
}

/** Thrown by a work that went on without savepoints and needs one: nobody was in the way, and it begins again from the start at once, with them. */
export class NotForeseen extends Error {
  constructor() {
    super("A write was refused after others of its unit.");
    this.name = "NotForeseen";
  }
}
