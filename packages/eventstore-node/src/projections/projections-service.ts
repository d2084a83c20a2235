import { ProjectionsService } from "@eventstore/db-client/generated/projections_grpc_pb.js";
import projections from "@eventstore/db-client/generated/projections_pb.js";
import type {
  Metadata,
  ServerUnaryCall,
  ServerWritableStream,
  sendUnaryData,
  UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { type Access, demand } from "../access/access.ts";
import type { EventLog } from "../storage/log.ts";
import { projectionNotFound, toStatus, unimplemented } from "../wire/rpc-errors.ts";
import type { ProjectionRunner } from "./projection-runner.ts";

export { ProjectionsService as projectionsDefinition };

type Handler<Request, Response> = (request: Request) => Promise<Response> | Response;

/** The service `event_store.client.projections.Projections`, over the standard projections alone. */
export function projectionsService(
  log: EventLog,
  access: Access,
  runners: readonly ProjectionRunner[],
): UntypedServiceImplementation {
  const permit = (caller: Metadata) => {
    demand(access.isAuthenticated(caller));
    if (runners.length === 0) throw unimplemented("running projections without --run-projections System");
  };

  const find = (name: string): ProjectionRunner => {
    const runner = runners.find(({ projection }) => projection.name === name);
    if (runner === undefined) throw projectionNotFound(name);
    return runner;
  };

  const unary =
    <Request, Response>(handle: Handler<Request, Response>) =>
    async (call: ServerUnaryCall<Request, Response>, answer: sendUnaryData<Response>) => {
      try {
        permit(call.metadata);
        answer(null, await handle(call.request));
      } catch (error) {
        answer(toStatus(error));
      }
    };

  const refuse = (what: string) =>
    unary(() => {
      throw unimplemented(what);
    });

  return {
    create: refuse("a projection in JavaScript (other than $by_category and $by_event_type)"),
    update: refuse("changing a projection"),
    delete: refuse("deleting a projection"),
    reset: refuse("resetting a projection"),
    restartSubsystem: refuse("restarting the projections"),
    state: refuse("the state of a projection"),
    result: refuse("the result of a projection"),

    enable: unary(async (request: projections.EnableReq) => {
      await find(request.getOptions()?.getName() ?? "").switch(true);
      return new projections.EnableResp();
    }),

    disable: unary(async (request: projections.DisableReq) => {
      await find(request.getOptions()?.getName() ?? "").switch(false);
      return new projections.DisableResp();
    }),

    statistics(call: ServerWritableStream<projections.StatisticsReq, projections.StatisticsResp>) {
      try {
        permit(call.metadata);
        for (const runner of chosen(call.request.getOptions(), runners, find)) {
          call.write(new projections.StatisticsResp().setDetails(details(log, runner)));
        }
        call.end();
      } catch (error) {
        call.emit("error", toStatus(error));
      }
    },
  };
}

/** All standard projections are continuous. */
function chosen(
  options: projections.StatisticsReq.Options | undefined,
  runners: readonly ProjectionRunner[],
  find: (name: string) => ProjectionRunner,
): readonly ProjectionRunner[] {
  if (options?.hasName()) return [find(options.getName())];
  return options?.hasAll() || options?.hasContinuous() ? runners : [];
}

function details(log: EventLog, runner: ProjectionRunner): projections.StatisticsResp.Details {
  const { name } = runner.projection;
  const position = `C:${runner.position}/P:${runner.position}`;
  return new projections.StatisticsResp.Details()
    .setName(name)
    .setEffectivename(name)
    .setMode("Continuous")
    .setStatus(runner.isRunning ? "Running" : "Stopped")
    .setStatereason(runner.problem)
    .setPosition(position)
    .setLastcheckpoint(position)
    .setProgress(log.lastPosition === 0 ? 100 : (100 * runner.position) / log.lastPosition)
    .setEventsprocessedafterrestart(String(runner.processed));
}
