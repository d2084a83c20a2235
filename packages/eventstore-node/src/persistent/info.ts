import persistent from "@eventstore/db-client/generated/persistent_pb.js";
import type { Consumer } from "./delivery/consumer.ts";
import type { SubscriptionGroup } from "./delivery/group.ts";
import { sourcePositionText } from "./settings.ts";

/** What clients hear about a group. Rates count from the last time that a client asked; `now` is in milliseconds. */
export function describeGroup(group: SubscriptionGroup, now: number): persistent.SubscriptionInfo {
  const { source, group: name, settings } = group.config;
  const { figures } = group;
  const { total, sinceLast, perSecond } = figures.rate.look(now);
  const text = (position: number | undefined) =>
    position === undefined ? "" : sourcePositionText(source, position);
  return new persistent.SubscriptionInfo()
    .setEventSource(source)
    .setGroupName(name)
    .setStatus(figures.status)
    .setConnectionsList(figures.consumers.map((consumer) => describeConsumer(consumer, now)))
    .setAveragePerSecond(perSecond)
    .setTotalItems(String(total))
    .setCountSinceLastMeasurement(String(sinceLast))
    .setLastCheckpointedEventPosition(text(figures.lastCheckpoint))
    .setLastKnownEventPosition(text(figures.lastKnown))
    .setResolveLinkTos(settings.resolveLinkTos)
    .setStartFrom(sourcePositionText(source, settings.startFrom))
    .setMessageTimeoutMilliseconds(settings.messageTimeout)
    .setExtraStatistics(settings.extraStatistics)
    .setMaxRetryCount(settings.maxRetryCount)
    .setLiveBufferSize(settings.liveBufferSize)
    .setBufferSize(settings.historyBufferSize)
    .setReadBatchSize(settings.readBatchSize)
    .setCheckPointAfterMilliseconds(settings.checkPointAfter)
    .setMinCheckPointCount(settings.checkPointLowerBound)
    .setMaxCheckPointCount(settings.checkPointUpperBound)
    .setReadBufferCount(figures.waiting)
    .setLiveBufferCount("0")
    .setRetryBufferCount(figures.toRetry)
    .setTotalInFlightMessages(figures.outstanding)
    .setOutstandingMessagesCount(figures.outstanding)
    .setNamedConsumerStrategy(settings.consumerStrategyName)
    .setMaxSubscriberCount(settings.maxSubscriberCount)
    .setParkedMessageCount(String(figures.parked));
}

function describeConsumer(consumer: Consumer, now: number): persistent.SubscriptionInfo.ConnectionInfo {
  const { from, username, connectionName, bufferSize } = consumer.options;
  const { total, sinceLast, perSecond } = consumer.rate.look(now);
  const measurements = consumer.timings
    .figures()
    .map(([name, value]) =>
      new persistent.SubscriptionInfo.Measurement().setKey(name).setValue(String(value)),
    );
  return new persistent.SubscriptionInfo.ConnectionInfo()
    .setFrom(from)
    .setUsername(username)
    .setConnectionName(connectionName)
    .setAverageItemsPerSecond(perSecond)
    .setTotalItems(String(total))
    .setCountSinceLastMeasurement(String(sinceLast))
    .setObservedMeasurementsList(measurements)
    .setAvailableSlots(bufferSize - consumer.inFlight.size)
    .setInFlightMessages(consumer.inFlight.size);
}
