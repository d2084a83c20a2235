import {
  AssignmentId,
  assignmentDecider,
  authorize,
  CarillonError,
  type ClassId,
  type Content,
  type ErrorCode,
  type Instant,
  instantOf,
  Score,
  type SubmissionCommand,
  type SubmissionFacts,
  SubmissionId,
  SubmissionKey,
  type SubmissionState,
  streamName,
  submissionDecider,
  submissionIdOf,
  type TenantId,
  UserId,
} from "@carillon/domain";
import { type Executed, type LiveDatabase, singleFlight } from "@carillon/platform";
import { z } from "zod";
import { type Caller, envelope } from "../http/command-envelope.ts";
import { answer, Page, page, Reading } from "../http/query-freshness.ts";
import { router } from "../http/trpc.ts";
import { type HandIn, type ReceiptKind, readHandIn, receiptFor } from "../receipts/submission-receipt.ts";
import { authorizeInClass } from "../school/class-access.ts";
import {
  type AwaitedContent,
  maxUploadBytes,
  submissionLapsed,
  uploadWindowMs,
} from "../uploads/upload-tickets.ts";
import type { ApiServices } from "../workers/api-services.ts";
import { FileInput, FileName, MediaType, readFile, Sha256 } from "./file-input.ts";
import { openHandInFacts } from "./hand-in-facts.ts";

/** The name under which somebody hands in for an assignment. */
const HandInKey = z.object({ assignmentId: AssignmentId, key: SubmissionKey });

const SubmitInput = HandInKey.extend({ file: FileInput, sha256: Sha256.optional() });

const CommitInput = HandInKey.extend({
  sha256: Sha256,
  bytes: z
    .int()
    .refine((bytes) => bytes > 0, {
      message: "the file is empty: choose the one you mean to hand in",
      params: { errorCode: "content_missing" satisfies ErrorCode },
    })
    .refine((bytes) => bytes <= maxUploadBytes, {
      message: `at most ${maxUploadBytes} bytes can be handed in`,
      params: { errorCode: "content_too_large" satisfies ErrorCode },
    }),
  name: FileName,
  mediaType: MediaType,
});

/** What `submit` answers. */
interface Submitted {
  submissionId: SubmissionId;
  receipt: string;
  position: string;
}

/** A call that takes longer may hang at a server that died: who asks again then does not wait for it. */
const joinMs = 5_000;

/** A few MiB; the same key with the same content is answered the same for ever. */
const maxAnswers = 10_000;

const GradeInput = z.object({
  submissionId: SubmissionId,
  score: Score,
  feedback: z.string().trim().min(1).max(10_000).nullable().default(null),
});

/** Refusals that are about something that was handed in before: its first receipt goes with them. */
const refusedForAnother: readonly ErrorCode[] = ["submission_key_taken", "submission_lapsed"];

export const submissionsRouter = (services: ApiServices) => {
  const { permitted, eventLog, database, objects, receiptKeys, uploadSlots } = services;

  const submissionStream = (tenantId: TenantId, submissionId: SubmissionId) =>
    streamName(submissionDecider.category, tenantId, submissionId);

  /** What the caller hands in under a key. */
  const submissionOf = (
    { tenantId, actor }: Pick<Caller, "tenantId" | "actor">,
    { assignmentId, key }: z.output<typeof HandInKey>,
  ) => {
    const submissionId = submissionIdOf(tenantId, assignmentId, actor.sub as UserId, key);
    return { submissionId, stream: submissionStream(tenantId, submissionId) };
  };

  const receiptOf = async (stream: string, kind: ReceiptKind) =>
    receiptFor(receiptKeys, kind, await readHandIn(eventLog.readStream(stream)));

  /** Adds to a refusal the receipt that was given first. */
  const withReceipt = async <Result>(stream: string, call: Promise<Result>): Promise<Result> => {
    try {
      return await call;
    } catch (error) {
      if (!(error instanceof CarillonError) || !refusedForAnother.includes(error.code)) throw error;
      const receipt = await receiptOf(stream, "first");
      throw new CarillonError(error.code, error.message, { cause: error, receipt });
    }
  };

  /** Whether a submission that was committed waits for this content. */
  const awaits = async (tenantId: TenantId, submissionId: SubmissionId, sha256: string) => {
    const { state } = await eventLog.load(submissionDecider, tenantId, submissionId);
    return awaitedOf(tenantId, submissionId, state)?.sha256 === sha256;
  };

  const facts = openHandInFacts(services);
  /** Also for what is under way: who asks again because the answer is late must not make a crowd twice as large. */
  const handInOnce = singleFlight<Submitted>({ max: maxAnswers, joinMs });

  /** The command that promises content, of whoever calls, with all that its decision needs to know. */
  const commitOf = async (
    { tenantId, actor, arrivedAt: at }: Pick<Caller, "tenantId" | "actor" | "arrivedAt">,
    { assignmentId, key }: z.output<typeof HandInKey>,
    content: Content,
    uploadBy: Instant | null,
  ) => {
    const studentId = actor.sub as UserId;
    const decide = (known: SubmissionFacts) => {
      const command = { type: "CommitSubmission", facts: known, key, content, at, uploadBy } as const;
      const decision = submissionDecider.decide(command, undefined);
      const event = decision.accepted ? decision.events[0] : undefined;
      return { command, committed: event?.type === "SubmissionCommitted" ? event.data : undefined };
    };
    let decided = decide(await facts.recent(tenantId, assignmentId, studentId));
    if (!decided.committed) decided = decide(await facts.newest(tenantId, assignmentId, studentId));
    return decided;
  };

  /** The first receipt of a commit: of the append's own answer where it is new, else of what stands in the log. */
  const receiptAfter = (
    tenantId: TenantId,
    kind: ReceiptKind,
    { stream, revision, position, added }: Omit<Executed<unknown>, "state">,
    committed: HandIn["committed"] | undefined,
    receivedAt: Instant | null,
  ): Promise<string> => {
    const isNew = committed !== undefined && revision === added - 1;
    if (!isNew) return receiptOf(stream, kind);
    return receiptFor(receiptKeys, kind, { tenantId, committed, stream, revision: 0, position, receivedAt });
  };

  /** Stores content and appends its commit and its arrival in one write. */
  const handInFile = async (
    ctx: Caller,
    handIn: z.output<typeof HandInKey>,
    { submissionId, stream }: ReturnType<typeof submissionOf>,
    content: Content,
    bytes: Uint8Array,
  ): Promise<Submitted> => {
    const { tenantId, arrivedAt: at } = ctx;
    const { command, committed } = await commitOf(ctx, handIn, content, null);
    // Content is stored before the event that says so, which may follow a commit that came without it.
    if (committed || (await awaits(tenantId, submissionId, content.sha256))) {
      await objects.put(tenantId, content.sha256, bytes);
    }
    const executed = await withReceipt(
      stream,
      eventLog.execute(
        submissionDecider,
        ctx.tenantId,
        submissionId,
        [
          envelope<SubmissionCommand>(ctx, at, command),
          envelope<SubmissionCommand>(ctx, at, { type: "ReceiveContent", sha256: content.sha256, at }),
        ],
        { expectNew: committed !== undefined },
      ),
    );
    const receipt = await receiptAfter(tenantId, "fullest", executed, committed, at);
    return { submissionId, receipt, position: String(executed.position) };
  };

  return router({
    /**
     * Hands in a file that comes in the request. The same key with the same file gives the first receipt again; other
     * content under the same key is `submission_key_taken`, and the first receipt is in the error's data.
     */
    submit: permitted("submissions.submit")
      .input(SubmitInput)
      .mutation(async ({ ctx, input: { file, sha256, ...handIn } }) => {
        const { bytes, content } = readFile(file, sha256);
        const { submissionId, stream } = submissionOf(ctx, handIn);
        return handInOnce(`${submissionId}/${content.sha256}`, () =>
          handInFile(ctx, handIn, { submissionId, stream }, content, bytes),
        );
      }),

    /**
     * Hands in a digest: what decides lateness. The content follows within a day into the slot `upload`, which is null where
     * it has come. Retries are answered as in `submit`, with the receipt of the commit, which never says when the
     * content came later. Content that never came is `submission_lapsed`.
     */
    commit: permitted("submissions.submit")
      .input(CommitInput)
      .mutation(async ({ ctx, input: { assignmentId, key, ...content } }) => {
        const { tenantId, arrivedAt: at } = ctx;
        const handIn = { assignmentId, key };
        const uploadBy = instantOf(new Date(Date.parse(at) + uploadWindowMs));
        const { submissionId, stream } = submissionOf(ctx, handIn);
        const { command, committed } = await commitOf(ctx, handIn, content, uploadBy);
        const expectNew = committed !== undefined;
        const executed = await withReceipt(
          stream,
          eventLog.execute(submissionDecider, ctx.tenantId, submissionId, [envelope(ctx, at, command)], {
            expectNew,
          }),
        );
        const { state, position, added } = executed;
        const receipt = await receiptAfter(tenantId, "first", executed, committed, null);
        const awaited = awaitedOf(tenantId, submissionId, state);
        if (awaited && (state?.lapsed || at >= awaited.uploadBy)) {
          throw submissionLapsed(receipt);
        }
        const upload = awaited ? await uploadSlots.offer(awaited, added > 0) : null;
        return { submissionId, receipt, position: String(position), upload };
      }),

    /** Says that content is in the store, where it was sent to the store's own address. The receipt says so from then on. */
    received: permitted("submissions.submit")
      .input(z.object({ submissionId: SubmissionId }))
      .mutation(async ({ ctx, input: { submissionId } }) => {
        const { tenantId, actor } = ctx;
        const stream = submissionStream(tenantId, submissionId);
        const { committed, receivedAt } = await readHandIn(eventLog.readStream(stream));
        const { studentId, content, committedAt } = committed;
        if (studentId !== actor.sub) throw unknownSubmission();
        // Content that was there before the commit is somebody else's: to know its digest is not to have it.
        if (!receivedAt && !(await objects.has(tenantId, content.sha256, new Date(committedAt)))) {
          throw new CarillonError(
            "content_missing",
            "The content has not come: send it to its address first.",
          );
        }
        const at = instantOf(new Date());
        const { position } = await withReceipt(
          stream,
          eventLog.execute(submissionDecider, ctx.tenantId, submissionId, [
            envelope<SubmissionCommand>(ctx, at, { type: "ReceiveContent", sha256: content.sha256, at }),
          ]),
        );
        return { submissionId, receipt: await receiptOf(stream, "fullest"), position: String(position) };
      }),

    /**
     * The receipt of what was handed in under a key, with when the content came, if it has. A student asks for his own; who
     * may list submissions, for a student's.
     */
    receipt: permitted("submissions.receipt")
      .input(HandInKey.extend({ studentId: UserId.optional() }))
      .query(async ({ ctx: { tenantId, actor }, input: { assignmentId, key, studentId } }) => {
        const own = actor.sub as UserId;
        if (studentId !== undefined && studentId !== own) authorize(actor.roles, "submissions.list");
        const submissionId = submissionIdOf(tenantId, assignmentId, studentId ?? own, key);
        return {
          submissionId,
          receipt: await receiptOf(submissionStream(tenantId, submissionId), "fullest"),
        };
      }),

    /** What the caller has handed in, the newest first. */
    mine: permitted("submissions.mine")
      .input(Reading.extend({ assignmentId: AssignmentId.optional() }).prefault({}))
      .query(async ({ ctx: { tenantId, actor }, input }) =>
        answer(
          await database.read(tenantId, { projection: "submissions", atLeast: input.atLeast }, async (tx) => {
            let query = tx
              .selectFrom("submissions.submissions")
              .selectAll()
              .where("student_id", "=", actor.sub)
              .orderBy("handed_in_at", "desc")
              .orderBy("submission_id");
            if (input.assignmentId) query = query.where("assignment_id", "=", input.assignmentId);
            return { submissions: (await query.execute()).map(asSubmission) };
          }),
        ),
      ),

    /** What was handed in for an assignment. */
    list: permitted("submissions.list")
      .input(Page.extend({ assignmentId: AssignmentId, after: SubmissionId.optional() }))
      .query(async ({ ctx: { tenantId }, input }) => {
        const { state: assignment } = await eventLog.load(assignmentDecider, tenantId, input.assignmentId);
        if (!assignment) {
          throw new CarillonError("assignment_unknown", "There is no such assignment at this school.");
        }
        return answer(
          await database.read(tenantId, { projection: "submissions", atLeast: input.atLeast }, async (tx) => {
            let query = tx
              .selectFrom("submissions.submissions")
              .selectAll()
              .where("assignment_id", "=", input.assignmentId)
              .orderBy("submission_id")
              .limit(input.limit + 1);
            if (input.after) query = query.where("submission_id", ">", input.after);
            const { items, next } = page(await query.execute(), input.limit, (row) => row.submission_id);
            return { submissions: items.map(asSubmission), next };
          }),
        );
      }),

    grade: permitted("submissions.grade")
      .input(GradeInput)
      .mutation(async ({ ctx, input: { submissionId, score, feedback } }) => {
        const { state: submission } = await eventLog.load(submissionDecider, ctx.tenantId, submissionId);
        if (submission) await authorizeInClass(eventLog, ctx, submission.work.classId);
        const { position } = await eventLog.execute(submissionDecider, ctx.tenantId, submissionId, [
          envelope<SubmissionCommand>(ctx, instantOf(new Date()), {
            type: "GradeSubmission",
            score,
            feedback,
          }),
        ]);
        return { position: String(position) };
      }),
  });
};

const asSubmission = (row: LiveDatabase["submissions.submissions"]) => ({
  submissionId: row.submission_id as SubmissionId,
  assignmentId: row.assignment_id as AssignmentId,
  classId: row.class_id as ClassId,
  studentId: row.student_id as UserId,
  key: row.key,
  sha256: row.sha256,
  bytes: row.bytes,
  name: row.name,
  mediaType: row.media_type,
  handedInAt: instantOf(row.handed_in_at),
  late: row.late,
  penaltyPercent: row.penalty_percent,
  uploadBy: row.upload_by && instantOf(row.upload_by),
  receivedAt: row.received_at && instantOf(row.received_at),
  lapsedAt: row.lapsed_at && instantOf(row.lapsed_at),
  banked: row.banked,
  score: row.score,
  rawScore: row.raw_score,
  grader: row.grader,
  feedback: row.feedback,
  gradedAt: row.graded_at && instantOf(row.graded_at),
  counts: row.counts,
});

/** Content that was committed and has not come. */
function awaitedOf(
  tenantId: TenantId,
  submissionId: SubmissionId,
  state: SubmissionState,
): AwaitedContent | undefined {
  if (!state?.content || state.received || state.uploadBy === null) return undefined;
  const { sha256, bytes } = state.content;
  return { tenantId, submissionId, sha256, bytes, uploadBy: state.uploadBy };
}

const unknownSubmission = () =>
  new CarillonError("submission_unknown", "There is no such submission at this school.");
