import type { ApiServices } from "../api-services.ts";
import { router } from "../http/trpc.ts";
import { commit } from "./commands/commit.ts";
import { grade } from "./commands/grade.ts";
import { receive } from "./commands/receive.ts";
import { submit } from "./commands/submit.ts";
import {
  CommitInput,
  GradeInput,
  ListInput,
  MineInput,
  ReceiptInput,
  ReceivedInput,
  SubmitInput,
} from "./inputs.ts";
import { receipt, submissionsOfAssignment, submissionsOfCaller } from "./queries.ts";
import { submissionServices } from "./submission-services.ts";

export const submissionsRouter = (apiServices: ApiServices) => {
  const { permitted } = apiServices;
  const services = submissionServices(apiServices);
  return router({
    /**
     * Hands in a file that comes in the request. The same key with the same file gives the first receipt again; other
     * content under the same key is `submission_key_taken`, and the first receipt is in the error's data.
     */
    submit: permitted("submissions.submit")
      .input(SubmitInput)
      .mutation(({ ctx, input }) => submit(services, ctx, input)),

    /**
     * Hands in a digest: what decides lateness. The content follows within a day through `upload`, which is null where it
     * has come. Retries are answered as in `submit`, with the receipt of the commit, which never says when the
     * content came later. Content that never came is `submission_lapsed`.
     */
    commit: permitted("submissions.submit")
      .input(CommitInput)
      .mutation(({ ctx, input }) => commit(services, ctx, input)),

    /** Says that content is in the store, where it was sent to the store's own address. The receipt says so from then on. */
    received: permitted("submissions.submit")
      .input(ReceivedInput)
      .mutation(({ ctx, input }) => receive(services, ctx, input)),

    /**
     * The receipt of what was handed in under a key, with when the content came, if it has. A student asks for their own;
     * those who may list submissions, for any student's.
     */
    receipt: permitted("submissions.receipt")
      .input(ReceiptInput)
      .query(({ ctx, input }) => receipt(services, ctx, input)),

    /** What the caller has handed in, the newest first. */
    mine: permitted("submissions.mine")
      .input(MineInput.prefault({}))
      .query(({ ctx, input }) => submissionsOfCaller(services, ctx, input)),

    /** What was handed in for an assignment. */
    list: permitted("submissions.list")
      .input(ListInput)
      .query(({ ctx, input }) => submissionsOfAssignment(services, ctx, input)),

    /** Grades a submission, in place of any grade before. */
    grade: permitted("submissions.grade")
      .input(GradeInput)
      .mutation(({ ctx, input }) => grade(services, ctx, input)),
  });
};
