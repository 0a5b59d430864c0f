using System.Text.Json;
using HeartGrains.Audit;
using HeartGrains.Ledger;

namespace HeartGrains.Transfer;

/// <summary>Reads a whole ledger while it is written: first what stands beside the log, then the log up to a place behind everything that had been committed by then.</summary>
internal sealed class Exporter(ITransferLedger ledger, TimeProvider time)
{
    private const int PageLimit = 1000;
    private static readonly TimeSpan HorizonPatience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    /// <summary>Writes everything, and returns how many events it was.</summary>
    /// <exception cref="LedgerException">The store cannot answer, or was changed meanwhile by more than hearts; what was written then has no last line.</exception>
    public async Task<long> ExportAsync(ExportWriter writer, CancellationToken cancellationToken)
    {
        writer.Write(new StartLine(StartLine.CurrentFormat, await ledger.OpenToReadAsync(cancellationToken)));
        var before = await ledger.FindMarkAsync(cancellationToken);
        if (before.Operation is { } operation) throw new LedgerException($"A long operation ({operation}) is under way: export when it has ended.");
        await ledger.ScanStandingAsync(writer.Write, cancellationToken);
        var events = await ExportEventsAsync(writer, await FindHorizonAsync(before.End, cancellationToken), cancellationToken);

        // Names that gave way to tombstones half-way, decisions without what they decided: none of it could be put right by whoever reads this.
        if (await ledger.FindMarkAsync(cancellationToken) with { End = before.End } != before)
            throw new LedgerException("Operators decided something while the export was made, or a long operation ran: export again.");
        writer.End();
        return events;
    }

    private async Task<long> ExportEventsAsync(ExportWriter writer, long horizon, CancellationToken cancellationToken)
    {
        var (after, events) = (EventPosition.Start, 0L);
        while (await ledger.ReadAsync(after, horizon, default, PageLimit, cancellationToken) is { Count: > 0 } page)
        {
            var abouts = page.Where(static logged => logged.About is not null).Select(static logged => logged.About!.Value).ToHashSet();
            var names = abouts.Count == 0 ? null : await ledger.FindNamesAsync(abouts, cancellationToken);
            foreach (var logged in page)
            {
                var other = MergedUser.Find(logged.Detail) is { } user ? await ledger.FindUserAsync(user, cancellationToken) : null;
                writer.Write(LineOf(logged, names, other));
            }

            events += page.Count;
            after = page[^1].Position;
        }

        return events;
    }

    /// <summary>What is committed counts as settled only when all that began before it has ended.</summary>
    private async Task<long> FindHorizonAsync(long end, CancellationToken cancellationToken)
    {
        for (var started = time.GetTimestamp(); ;)
        {
            if (await ledger.FindHorizonAsync(cancellationToken) is var horizon && horizon >= end) return horizon;
            if (time.GetElapsedTime(started) > HorizonPatience) throw new LedgerException("A transaction in this PostgreSQL server has been open for long: export when it has ended.");
            await Task.Delay(Pause, time, cancellationToken);
        }
    }

    private static EventLine LineOf(LoggedEvent logged, IReadOnlyDictionary<Guid, string>? names, string? other)
    {
        var isForgotten = IsForgotten(logged.UserId);
        var about = logged.About is not { } target ? null
            : names!.GetValueOrDefault(target) ?? JsonSerializer.Deserialize(logged.Detail!, AuditJson.Default.DecisionDetail)?.TargetId;
        return new EventLine(
            logged.Kind.ToString().ToLowerInvariant(),
            logged.TargetId,
            logged.Position.Version,
            logged.UserId,
            logged.AtMicros,
            logged.Writer,
            logged.Origin.Actor,
            logged.Origin.Network,
            logged.Origin.Cause == Hearts.HeartCause.User ? null : logged.Origin.Cause.ToString().ToLowerInvariant(),
            logged.Origin.Job,
            isForgotten ? logged.Heart.ToGuid() : null,
            isForgotten && logged.NetworkMac != 0 ? logged.NetworkMac : null,
            about,
            logged.About,
            logged.Detail is { } detail ? JsonElement.Parse(detail) : null,
            other is null || IsForgotten(other) ? null : other);
    }

    private static bool IsForgotten(string userId) => userId.StartsWith(EventProof.TombstonePrefix, StringComparison.Ordinal);
}
