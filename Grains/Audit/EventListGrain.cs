using System.Text;
using HeartGrains.Hearts;
using HeartGrains.Ledger;
using Orleans.Concurrency;

namespace HeartGrains.Audit;

/// <summary>Reads the sealed log for whoever asks, on the silo that was asked.</summary>
[StatelessWorker(maxLocalWorkers: 1), Reentrant] // Stateless, so there is no invariant for an await to break.
internal sealed class EventListGrain(IEventLog log, ISealStore seals, IAuditStore audit, HeartKeys keys) : Grain, IEventListGrain
{
    // A message may have a megabyte.
    private const int PageByteLimit = 512 * 1024;
    private const int EventBytes = 160;

    /// <inheritdoc/>
    public async ValueTask<EventPage> ReadAsync(EventRequest request, CancellationToken cancellationToken = default)
    {
        try
        {
            // The seals first: what is sealed then is all there is up to that place, for good.
            var horizon = (await seals.FindLastSealAsync(cancellationToken))?.Position ?? 0;
            if (request.After.Order > horizon) return new EventPage(true, [], false);
            var filter = new EventFilter(request.TargetId is { } targetId ? keys.OfTarget(targetId) : null, request.UserId);
            var found = await log.ReadAsync(request.After, horizon, filter, request.Limit + 1, cancellationToken);
            var names = await NamesAsync(found, cancellationToken);
            var told = new List<FeedEvent>(found.Count);
            var bytes = 0;
            foreach (var logged in found)
            {
                if (told.Count == request.Limit) break;
                var tell = Tell(logged, names);
                bytes += BytesOf(tell);
                if (bytes > PageByteLimit && told.Count > 0) break;
                told.Add(tell);
            }

            return new EventPage(true, [.. told], told.Count < found.Count);
        }
        catch (LedgerException)
        {
            return new EventPage(false, [], false);
        }
    }

    /// <inheritdoc/>
    public async ValueTask<TargetAt> AsOfAsync(string targetId, long atMicros, CancellationToken cancellationToken = default)
    {
        try
        {
            var target = keys.OfTarget(targetId);
            var opening = await audit.FindOpeningAsync(target, atMicros, cancellationToken);
            return await audit.FindAsOfAsync(target, atMicros, cancellationToken) with { Opening = opening.Decided ?? opening.Stored };
        }
        catch (LedgerException)
        {
            return new TargetAt(false, 0, 0);
        }
    }

    private async ValueTask<IReadOnlyDictionary<Guid, string>?> NamesAsync(IReadOnlyList<LoggedEvent> events, CancellationToken cancellationToken)
    {
        HashSet<Guid>? unnamed = null;
        foreach (var logged in events)
            if (logged.About is { } about) (unnamed ??= []).Add(about);
        return unnamed is null ? null : await audit.FindNamesAsync(unnamed, cancellationToken);
    }

    private static FeedEvent Tell(LoggedEvent logged, IReadOnlyDictionary<Guid, string>? names)
    {
        var userId = logged.UserId.Length == 0 ? null : logged.UserId;
        if (logged.Kind != HeartEventKind.Decided)
        {
            var type = logged.Kind == HeartEventKind.Given ? "given" : "withdrawn";
            return new FeedEvent(logged.Position, type, logged.TargetId, userId, logged.Heart, logged.AtMicros, logged.Origin, null);
        }

        var detail = DecisionDetail.Read(logged.Detail!);
        var targetId = logged.About is { } about ? names?.GetValueOrDefault(about) ?? detail?.TargetId : detail?.TargetId;
        return new FeedEvent(
            logged.Position, detail?.Action ?? "decided", targetId, userId, null, logged.AtMicros, logged.Origin, detail?.Reason, detail?.Subject, detail?.Opening, detail?.OpeningBefore, detail?.ToFeed());
    }

    private static int BytesOf(FeedEvent told) =>
        EventBytes + DetailBytes(told.Detail) + Bytes(told.TargetId) + Bytes(told.UserId) + Bytes(told.Reason) + Bytes(told.Subject) + Bytes(told.Origin.Actor) + Bytes(told.Origin.Network) + Bytes(told.Origin.Job);

    private static int DetailBytes(FeedDetail? detail) => detail is null ? 0 : EventBytes + Bytes(detail.To) + Bytes(detail.Quarantine) + (detail.Found?.Sum(Bytes) ?? 0);

    private static int Bytes(string? text) => text is null ? 0 : Encoding.UTF8.GetByteCount(text);
}
