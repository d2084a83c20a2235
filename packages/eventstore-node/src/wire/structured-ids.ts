import { WireReader, WireWriter } from "../encoding/protobuf.ts";

const writer = new WireWriter();

/** The same `ReadResp` with the ids of its event and link as two 64-bit numbers, the other form of `UUID` in `shared.proto`. */
export function withStructuredIds(message: Buffer): Buffer {
  const fields = new WireReader(message);
  fields.next();
  const read = fields.message();
  return writer
    .message(1, (readEvent) => {
      for (let field = read.next(); field !== 0; field = read.next()) {
        if (field === 3) readEvent.uint(3, read.uint());
        else copyRecorded(readEvent, field, read.bytes());
      }
    })
    .finish();
}

/** Copies a `RecordedEvent`, which begins with its id. */
function copyRecorded(target: WireWriter, field: number, recorded: Buffer): void {
  const fields = new WireReader(recorded);
  fields.next();
  const id = fields.message();
  id.next();
  const bytes = Buffer.from(id.string().replaceAll("-", ""), "hex");
  target.message(field, (event) => {
    event.message(1, (uuid) =>
      uuid.message(1, (halves) => halves.uint(1, bytes.readBigUInt64BE(0)).uint(2, bytes.readBigUInt64BE(8))),
    );
    event.raw(fields.rest());
  });
}
