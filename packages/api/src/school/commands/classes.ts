import {
  ClassId,
  type ClassProfile,
  classDecider,
  classIdOf,
  instantOf,
  leadsEveryClass,
  MemberRole,
  membershipDecider,
  membershipIdOf,
  personDecider,
  UserId,
} from "@carillon/domain";
import type { Executed } from "@carillon/platform";
import { z } from "zod";
import type { ApiServices } from "../../api-services.ts";
import { type Caller, envelope, personOf } from "../../http/command-envelope.ts";
import { authorizeInClass } from "../class-access.ts";

type Services = Pick<ApiServices, "eventLog">;

/** Opens a class. Throws `class_code_taken`. */
export async function openClass(services: Services, caller: Caller, profile: ClassProfile) {
  const { tenantId, actor } = caller;
  const classId = classIdOf(tenantId, profile.code);
  const opened = await services.eventLog.execute(
    classDecider,
    tenantId,
    classId,
    [envelope(caller, instantOf(new Date()), { type: "OpenClass", profile })],
    { expectNew: true },
  );
  const position = leadsEveryClass(actor.roles)
    ? opened.position
    : await letOpenerTeach(services, caller, classId, opened);
  return { classId, position: String(position) };
}

/** Lets the teacher who opened a class teach it, once: one who opens it again is not its teacher. Gives the newest position. */
async function letOpenerTeach(
  { eventLog }: Services,
  caller: Caller,
  classId: ClassId,
  opened: Executed<unknown>,
): Promise<bigint> {
  const { tenantId } = caller;
  const userId = personOf(caller);
  const membershipId = membershipIdOf(classId, userId);
  if (opened.added === 0) {
    let opener: string | undefined;
    for await (const { type, metadata } of eventLog.readStream(opened.stream)) {
      if (type === "ClassOpened") opener = metadata.actor;
    }
    if (opener !== userId) return opened.position;
    const { last } = await eventLog.load(membershipDecider, tenantId, membershipId);
    if (last) return last.position;
  }
  const joined = await eventLog.execute(membershipDecider, tenantId, membershipId, [
    envelope(caller, instantOf(new Date()), {
      type: "JoinClass",
      classId,
      userId,
      as: "teacher",
      classOpened: true,
      userEnrolled: true,
    }),
  ]);
  return joined.position;
}

export const JoinInput = z.object({ classId: ClassId, userId: UserId, as: MemberRole });

/** Lets somebody join a class. Throws `not_a_member`, `class_unknown` and `user_unknown`. */
export async function joinClass(
  { eventLog }: Services,
  caller: Caller,
  { classId, userId, as }: z.output<typeof JoinInput>,
) {
  await authorizeInClass(eventLog, caller, classId);
  const { tenantId } = caller;
  const [{ state: opened }, { state: person }] = await Promise.all([
    eventLog.load(classDecider, tenantId, classId),
    eventLog.load(personDecider, tenantId, userId),
  ]);
  const { position } = await eventLog.execute(membershipDecider, tenantId, membershipIdOf(classId, userId), [
    envelope(caller, instantOf(new Date()), {
      type: "JoinClass",
      classId,
      userId,
      as,
      classOpened: opened !== undefined,
      userEnrolled: person !== undefined,
    }),
  ]);
  return { position: String(position) };
}

export const LeaveInput = z.object({ classId: ClassId, userId: UserId });

/** Takes somebody out of a class. Throws `not_a_member`. */
export async function leaveClass(
  { eventLog }: Services,
  caller: Caller,
  { classId, userId }: z.output<typeof LeaveInput>,
) {
  await authorizeInClass(eventLog, caller, classId);
  const membershipId = membershipIdOf(classId, userId);
  const { position } = await eventLog.execute(membershipDecider, caller.tenantId, membershipId, [
    envelope(caller, instantOf(new Date()), { type: "LeaveClass", classId, userId }),
  ]);
  return { position: String(position) };
}
