import { CarillonError } from "@carillon/domain";
import { type Bus, openPartsStore, type PartsStore } from "@carillon/platform";

/**
 * What has come of uploads that are not complete yet, each under its upload's id. It is forgotten by itself two days after
 * it came. `append` throws `upload_offset_mismatch` where it does not follow, and `busy` where all uploads together are
 * more than can be kept.
 */
export type UploadParts = PartsStore;

const keptMs = 2 * 86_400_000;
/** Of all uploads together. */
const maxBytes = 4 * 1024 ** 3;
const retryAfterMs = 60_000;

/** Keeps parts in the JetStream stream `UPLOADS`, which is made when it is first needed. */
export const openUploadParts = (bus: Bus): UploadParts =>
  openPartsStore(bus, {
    stream: "UPLOADS",
    subjectPrefix: "uploads",
    sizeHeader: "Upload-Size",
    what: "The store of uploads",
    keptMs,
    maxBytes,
    offsetMismatch: (size) =>
      new CarillonError(
        "upload_offset_mismatch",
        `${size} bytes of the upload are stored: go on from there.`,
      ),
    full: (cause) =>
      new CarillonError("busy", "Too many uploads are under way: go on in a minute.", {
        cause,
        wait: { retryAfterMs, place: null },
      }),
  });
