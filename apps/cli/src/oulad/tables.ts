import { createReadStream } from "node:fs";
import { access } from "node:fs/promises";
import { join } from "node:path";
import { createGunzip } from "node:zlib";
import { CarillonError, Score } from "@carillon/domain";
import { parse } from "csv-parse";
import { z } from "zod";

/**
 * Five tables of the Open University Learning Analytics Dataset, as published, plain or gzipped.
 * Kuzilek, Hlosta, Zdrahal: Scientific Data 4:170171 (2017), doi 10.1038/sdata.2017.171.
 */

const id = z.string().regex(/^[A-Za-z0-9]{1,32}$/);
const presentation = z.string().regex(/^\d{4}[BJ]$/, "must be a year and B or J");
const day = z
  .string()
  .regex(/^-?\d{1,4}$/, "must be a day as a whole number")
  .transform(Number);

/** `?` and nothing both stand for a missing value. */
const orMissing = <Schema extends z.ZodType>(schema: Schema) =>
  z.union([z.enum(["?", ""]).transform(() => null), schema]);

const moduleOfPresentation = { code_module: id, code_presentation: presentation };

const schemas = {
  courses: z.object({ ...moduleOfPresentation, module_presentation_length: day }),
  assessments: z.object({
    ...moduleOfPresentation,
    id_assessment: id,
    assessment_type: z.string().min(1),
    date: orMissing(day),
    weight: z.coerce.number().min(0).max(100),
  }),
  studentRegistration: z.object({
    ...moduleOfPresentation,
    id_student: id,
    date_registration: orMissing(day),
    date_unregistration: orMissing(day),
  }),
  studentAssessment: z.object({
    id_assessment: id,
    id_student: id,
    date_submitted: day,
    is_banked: z.enum(["0", "1"]).transform((flag) => flag === "1"),
    score: orMissing(z.string().regex(/^\d/, "must be a number").transform(Number).pipe(Score)),
  }),
} as const;

type Table = keyof typeof schemas;
type Row<Name extends Table> = z.output<(typeof schemas)[Name]>;

/** The rows of one table, checked. Throws `CarillonError` `malformed` with the file and line that is wrong. */
async function readTable<Name extends Table>(folder: string, table: Name): Promise<Row<Name>[]> {
  const file = await findFile(folder, table);
  const content = createReadStream(file);
  const text = file.endsWith(".gz") ? content.pipe(createGunzip()) : content;
  const parser = parse({ columns: true, info: true });
  text.on("error", (error: Error) => parser.destroy(error));
  const rows: Row<Name>[] = [];
  try {
    for await (const { record, info } of text.pipe(parser)) {
      const row = schemas[table].safeParse(record);
      if (!row.success) {
        const issue = row.error.issues[0];
        throw new CarillonError(
          "malformed",
          `${file}, line ${info.lines}, ${issue?.path.join(".")}: ${issue?.message}`,
        );
      }
      rows.push(row.data as Row<Name>);
    }
  } catch (error) {
    if (error instanceof CarillonError) throw error;
    throw new CarillonError("malformed", `${file} cannot be read: ${(error as Error).message}`, {
      cause: error,
    });
  }
  return rows;
}

async function findFile(folder: string, table: Table): Promise<string> {
  for (const name of [`${table}.csv`, `${table}.csv.gz`]) {
    const file = join(folder, name);
    const found = await access(file).then(
      () => true,
      () => false,
    );
    if (found) return file;
  }
  throw new CarillonError("malformed", `There is no ${table}.csv or ${table}.csv.gz in ${folder}.`);
}

/** The tables that the import reads. Demographics stay out: a school's own register would bring its own. */
export interface OuladTables {
  readonly courses: readonly Row<"courses">[];
  readonly assessments: readonly Row<"assessments">[];
  readonly registrations: readonly Row<"studentRegistration">[];
  readonly submissions: readonly Row<"studentAssessment">[];
}

/** Reads and checks every row before anything is imported. */
export async function readTables(folder: string): Promise<OuladTables> {
  const [courses, assessments, registrations, submissions] = await Promise.all([
    readTable(folder, "courses"),
    readTable(folder, "assessments"),
    readTable(folder, "studentRegistration"),
    readTable(folder, "studentAssessment"),
  ]);
  return { courses, assessments, registrations, submissions };
}
