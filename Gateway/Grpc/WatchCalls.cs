using Grpc.Core;
using HeartGrains.Gateway.Live;
using HeartGrains.Gateway.Problems;
using HeartGrains.V1;
using Microsoft.Extensions.Options;

namespace HeartGrains.Gateway.Grpc;

/// <summary>Lets calls of <c>Watch</c> in and serves them, with the seats and limits of WebSockets.</summary>
internal sealed class WatchCalls(LiveDoor door, LiveConnections connections, LiveHub hub, IOptions<LiveOptions> options, LiveMetrics metrics, TimeProvider time)
{
    private const int RetryAfterSeconds = 10;

    /// <summary>Targets of a call at most.</summary>
    public int MaxTargets => options.Value.MaxTargets;

    public async Task ServeAsync(WatchRequest request, IServerStreamWriter<WatchReply> replies, ServerCallContext call)
    {
        var context = call.GetHttpContext();
        if (await door.EnterAsync(context) is not { } address) throw context.Told();
        var watch = new WatchCall(replies, context, options.Value, metrics, time, call.CancellationToken);
        var targets = new LiveTargets(watch.Outbox, address, hub, options.Value);
        try
        {
            foreach (var target in request.TargetIds)
            {
                var limit = targets.TrySubscribe(target, request.KnownVersions.TryGetValue(target, out var known) ? known : -1);
                if (limit is not null) throw await context.RefusedAsync(refused => RefuseAsync(refused, limit.Value));
            }

            // A client that knows all there is would otherwise not know that it watches.
            await call.WriteResponseHeadersAsync([]);
            if (await connections.ServeAsync(watch) == LiveClose.GoingAway)
                throw await context.RefusedAsync(static refused => refused.WriteProblemAsync(Problem.Unavailable, "This gateway is stopping. Call again: another takes you."));
        }
        finally
        {
            targets.Clear();
            door.Leave(address);
        }
    }

    private Task RefuseAsync(HttpContext context, LiveLimit limit) => limit == LiveLimit.Gateway
        ? context.WriteProblemAsync(Problem.TemporaryReducedCapacity, "This gateway watches as many targets as it takes. Call again after Retry-After.", RetryAfterSeconds)
        : context.WriteProblemAsync(Problem.TooManyConnections, $"An address watches at most {options.Value.MaxTargetsPerAddress} targets here.", RetryAfterSeconds);
}
