import type { Snapshot } from "../../config/snapshot.js";
import type { HttpClient } from "../../ports/index.js";
import type { Providers } from "../../providers/index.js";
import type { Batches, Files, Services, VendorObjects, Videos } from "../../seams/index.js";
import type { Codec } from "../../wire/shared/codec.js";
import type { RoutingModelCaller } from "../model-caller.js";
import { BatchCalls } from "./batch-calls.js";
import { BatchResults } from "./batch-results.js";
import { JobFollower } from "./job-follower.js";
import { JobPlaces } from "./job-places.js";
import { ObjectRecords } from "./object-records.js";
import { OwnBatch } from "./own-batch.js";
import { StoredBatches } from "./stored-batches.js";
import { StoredFiles } from "./stored-files.js";
import { StoredVideos } from "./stored-videos.js";

export interface StoredObjectsOptions {
  readonly models: RoutingModelCaller;
  readonly providers: Providers;
  readonly http: HttpClient;
  readonly codecs: readonly Codec[];
  readonly snapshot: () => Snapshot;
}

/** Films, files and batches of one gateway, and whoever goes on with them. */
export class StoredObjects implements VendorObjects {
  readonly videos: Videos;
  readonly files: Files;
  readonly batches: Batches;
  readonly #follower: JobFollower;

  constructor(services: Services, o: StoredObjectsOptions) {
    const records = new ObjectRecords(services);
    const places = new JobPlaces({
      ...{ providers: o.providers, http: o.http, crypto: services.crypto },
      idleMs: () => o.snapshot().config.server.timeouts.idleMs,
    });
    const results = new BatchResults(services.store, records);
    const files = new StoredFiles(services, { records, resultLines: (id, which) => results.lines(id, which) });
    const videos = new StoredVideos(services, { models: o.models, records, places });
    const calls = new BatchCalls(services, o.codecs);
    const own = new OwnBatch(services, { records, results, calls });
    const batches = new StoredBatches(services, {
      ...{ providers: o.providers, snapshot: o.snapshot, records, places, files, results, calls, own },
      isRead: (model, caller) => o.models.isRead(model, caller),
      kick: () => this.#follower.kick(),
    });
    this.#follower = new JobFollower(services, {
      records,
      video: (row, signal) => videos.follow(row, signal),
      batch: (row, signal) => batches.follow(row, signal),
    });
    this.videos = videos;
    this.files = files;
    this.batches = batches;
  }

  /** Goes on with what is due, from now on. */
  work(): void {
    this.#follower.work();
  }

  /** Gives back what is under way. */
  close(): Promise<void> {
    return this.#follower.close();
  }
}
