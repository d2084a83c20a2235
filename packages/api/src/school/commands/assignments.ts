import {
  AssignmentId,
  AssignmentProfile,
  assignmentDecider,
  assignmentIdOf,
  ClassId,
  classDecider,
  InstantInput,
  instantOf,
} from "@carillon/domain";
import { z } from "zod";
import type { ApiServices } from "../../api-services.ts";
import { type Caller, envelope } from "../../http/command-envelope.ts";
import { authorizeInClass } from "../class-access.ts";

type Services = Pick<ApiServices, "eventLog">;

const DueAt = InstantInput.nullable();

export const PublishInput = AssignmentProfile.extend({ classId: ClassId, dueAt: DueAt });

/** Publishes an assignment. Throws `not_a_member`, `class_unknown`, `assignment_code_taken` and `due_in_past`. */
export async function publishAssignment(
  { eventLog }: Services,
  caller: Caller,
  { classId, dueAt, ...profile }: z.output<typeof PublishInput>,
) {
  await authorizeInClass(eventLog, caller, classId);
  const { tenantId } = caller;
  const { state: opened } = await eventLog.load(classDecider, tenantId, classId);
  const classOpened = opened !== undefined;
  const assignmentId = assignmentIdOf(classId, profile.code);
  const at = instantOf(new Date());
  const { position } = await eventLog.execute(assignmentDecider, tenantId, assignmentId, [
    envelope(caller, at, { type: "PublishAssignment", classId, classOpened, profile, dueAt, at }),
  ]);
  return { assignmentId, position: String(position) };
}

export const RescheduleInput = z.object({ assignmentId: AssignmentId, dueAt: DueAt });

/** Gives an assignment another due time. Throws `not_a_member`, `assignment_unknown` and `due_in_past`. */
export async function rescheduleAssignment(
  { eventLog }: Services,
  caller: Caller,
  { assignmentId, dueAt }: z.output<typeof RescheduleInput>,
) {
  const { tenantId } = caller;
  const { state: assignment } = await eventLog.load(assignmentDecider, tenantId, assignmentId);
  if (assignment) await authorizeInClass(eventLog, caller, assignment.classId);
  const at = instantOf(new Date());
  const { position } = await eventLog.execute(assignmentDecider, tenantId, assignmentId, [
    envelope(caller, at, { type: "RescheduleAssignment", dueAt, at }),
  ]);
  return { position: String(position) };
}
