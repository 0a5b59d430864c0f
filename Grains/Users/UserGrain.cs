using System.Buffers;
using System.Text.Json;
using HeartGrains.Audit;
using HeartGrains.Hearts;
using HeartGrains.Jobs;
using HeartGrains.Ledger;
using Orleans.Concurrency;

namespace HeartGrains.Users;

/// <summary>Reads what is held about a user for whoever asks, on the silo that was asked: first the log, page by page, then what features hold beside it.</summary>
[StatelessWorker(maxLocalWorkers: 1), Reentrant] // Stateless, so there is no invariant for an await to break.
internal sealed class UserGrain(IEventLog log, IHeartLedger ledger, IEnumerable<IUserData> data, HeartKeys keys) : Grain, IUserGrain
{
    private const int PageSize = 100;
    private const string Rest = "rest";

    /// <inheritdoc/>
    public async ValueTask<UserPage> ExportAsync(string userId, string? after, CancellationToken cancellationToken = default)
    {
        try
        {
            return after == Rest ? await ExportRestAsync(userId, cancellationToken) : await ExportLogAsync(userId, after is null ? EventPosition.Start : Parse(after), cancellationToken);
        }
        catch (Exception exception) when (exception is LedgerException or OrleansException or TimeoutException)
        {
            return new UserPage(HeartOutcome.LedgerUnavailable, [], after, 0, 0);
        }
    }

    private async Task<UserPage> ExportLogAsync(string userId, EventPosition after, CancellationToken cancellationToken)
    {
        var rows = await log.ReadAsync(after, long.MaxValue, new EventFilter(null, userId), PageSize, cancellationToken);
        var lines = new UserLines();
        var hearts = 0;
        foreach (var row in rows)
        {
            lines.Add(json => Describe(json, row));
            if (row.Kind != HeartEventKind.Given) continue;

            // The heart stands if this event is the last word about it.
            var heart = await ledger.FindHeartAsync(row.Position.Target, keys.OfHeart(row.Position.Target, userId), cancellationToken);
            if (heart?.Version != row.Position.Version) continue;
            hearts++;
            lines.Add(json =>
            {
                json.WriteString("type"u8, "heart"u8);
                json.WriteString("target_id"u8, row.TargetId);
                json.WriteString("id"u8, row.Heart.ToString());
                json.WriteString("timestamp"u8, LogTime.TextOf(row.AtMicros));
            });
        }

        return new UserPage(HeartOutcome.Committed, lines.ToArray(), rows.Count < PageSize ? Rest : Format(rows[^1].Position), hearts, rows.Count);
    }

    private async Task<UserPage> ExportRestAsync(string userId, CancellationToken cancellationToken)
    {
        var lines = new UserLines();
        foreach (var held in data) await held.ExportAsync(userId, lines.Add, cancellationToken);
        return new UserPage(HeartOutcome.Committed, lines.ToArray(), null, 0, 0);
    }

    private static void Describe(Utf8JsonWriter json, LoggedEvent row)
    {
        json.WriteString("type"u8, row.Kind == HeartEventKind.Decided ? "decision"u8 : "event"u8);
        json.WriteString("action"u8, row.Kind switch { HeartEventKind.Given => "given"u8, HeartEventKind.Withdrawn => "withdrawn"u8, _ => "decided"u8 });
        json.WriteString("timestamp"u8, LogTime.TextOf(row.AtMicros));
        json.WriteString("actor"u8, row.Origin.Actor);
        if (row.Kind == HeartEventKind.Decided)
        {
            json.WritePropertyName("detail"u8);
            json.WriteRawValue(row.Detail!);
        }
        else
        {
            json.WriteString("target_id"u8, row.TargetId);
            json.WriteString("heart"u8, row.Heart.ToString());
            json.WriteNumber("version"u8, row.Position.Version);
            if (row.Origin.Cause != HeartCause.User) json.WriteString("cause"u8, row.Origin.Cause.ToString().ToLowerInvariant());
        }

        if (row.Origin.Network is { } network && !IsOperators(row)) json.WriteString("network"u8, network);
        if (row.Origin.Job is { } job) json.WriteString("job"u8, job);
    }

    /// <summary>Whether somebody decided or ordered it with a server's key: where they were is nothing that is held about the user.</summary>
    private static bool IsOperators(LoggedEvent row) =>
        row.Origin.Actor.StartsWith("key:", StringComparison.Ordinal) && (row.Kind == HeartEventKind.Decided || row.Origin.Cause != HeartCause.User);

    private static string Format(EventPosition position) => FormattableString.Invariant($"{position.Order}.{position.Target:N}.{position.Version}");

    private static EventPosition Parse(string text)
    {
        var parts = text.Split('.');
        return new EventPosition(long.Parse(parts[0], System.Globalization.CultureInfo.InvariantCulture), Guid.ParseExact(parts[1], "N"), long.Parse(parts[2], System.Globalization.CultureInfo.InvariantCulture));
    }
}

/// <summary>Lines of JSON objects.</summary>
internal sealed class UserLines
{
    private readonly ArrayBufferWriter<byte> _bytes = new();

    /// <summary>Adds an object; <paramref name="write"/> writes its fields.</summary>
    public void Add(Action<Utf8JsonWriter> write)
    {
        using (var json = new Utf8JsonWriter(_bytes))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }

        _bytes.Write("\n"u8);
    }

    public byte[] ToArray() => _bytes.WrittenSpan.ToArray();
}
