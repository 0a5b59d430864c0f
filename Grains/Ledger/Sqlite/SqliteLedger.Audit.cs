using HeartGrains.Audit;
using HeartGrains.Hearts;

namespace HeartGrains.Ledger.Sqlite;

/// <summary>The log's seals, and what is stored of targets, for comparing it with the log and making it anew. The file is one process's: who seals there is alone.</summary>
public sealed partial class SqliteLedger
{
    private static readonly string[] RebuildSteps =
    [
        "delete from heart_current where target = $target",
        $"""
        insert into heart_current (target, heart, version, at_micros)
        select $target, heart, version, at_micros from ({LatestSql}) where kind = 1 order by heart
        """,
        "delete from heart_target where target = $target",
        $"""
        insert into heart_target (target, count, version, target_id)
        select $target, sum(kind = 1), max(version), coalesce((select target_id from heart_event where target = $target and version = 1), '') from ({LatestSql}) having max(version) is not null
        """,
    ];

    private const string LatestSql =
        "select heart, kind, at_micros, max(version) as version from heart_event where target = $target and seq <= (select seq from heart_fold) group by heart";

    /// <inheritdoc/>
    public async ValueTask<EventSeal?> SealAsync(int limit, long known, EventChain chain, long atMicros, CancellationToken cancellationToken)
    {
        // Read beside those who write: only the seal itself waits for its turn.
        var seal = Read((limit, known, chain, atMicros), static (reader, asked) => reader.Audit.MakeSeal(asked.limit, asked.known, asked.chain, asked.atMicros));
        return seal is null ? null : await WriteAsync(
            writer =>
            {
                writer.Run(
                    "insert into heart_seal (number, position, events, at_micros, hash, mac) values ($number, $position, $events, $at, $hash, $mac)",
                    ("$number", seal.Number), ("$position", seal.Position), ("$events", seal.Events), ("$at", seal.AtMicros), ("$hash", seal.Hash), ("$mac", seal.Mac));
                return seal;
            },
            cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask<EventSeal?> FindLastSealAsync(CancellationToken cancellationToken) => new(Read(0, static (reader, _) => reader.Audit.FindLast()));

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<EventSeal>> ReadSealsAsync(long from, int limit, CancellationToken cancellationToken) =>
        new(Read((from, limit), static (reader, asked) => reader.Audit.ReadSeals(asked.from, asked.limit)));

    /// <inheritdoc/>
    public ValueTask<long?> FindUnsealedAsync(CancellationToken cancellationToken) => new(Read(0, static (reader, _) => reader.Audit.FindUnsealed()));

    /// <inheritdoc/>
    public ValueTask ScanAsync(long after, long upTo, RawEventReader read, CancellationToken cancellationToken)
    {
        Read((after, upTo, read, cancellationToken), static (reader, asked) => reader.Audit.Scan(asked.after, asked.upTo, asked.read, asked.cancellationToken));
        return default;
    }

    /// <inheritdoc/>
    public ValueTask ScanTargetAsync(Guid target, ITargetReader reader, CancellationToken cancellationToken)
    {
        Read((target, reader, cancellationToken), static (store, asked) => store.Audit.ScanTarget(asked.target, asked.reader, asked.cancellationToken));
        return default;
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<Guid>> ListTargetsAsync(Guid after, int limit, CancellationToken cancellationToken) =>
        new(Read((after, limit), static (reader, asked) => reader.Audit.ListTargets(asked.after, asked.limit)));

    /// <inheritdoc/>
    public ValueTask<IReadOnlyDictionary<Guid, string>> FindNamesAsync(IReadOnlyCollection<Guid> targets, CancellationToken cancellationToken) =>
        new(Read(targets, static (reader, targets) => reader.Audit.FindNames(targets)));

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<string>> FindDecisionsAsync(string job, CancellationToken cancellationToken) =>
        new(Read(job, static (reader, job) => reader.Audit.FindDecisions(job)));

    /// <inheritdoc/>
    public async ValueTask RebuildAsync(Guid target, CancellationToken cancellationToken) => await WriteAsync(
        writer =>
        {
            writer.RunAll(RebuildSteps, ("$target", target.ToByteArray(bigEndian: true)));
            return true;
        },
        cancellationToken);

    /// <inheritdoc/>
    public ValueTask<TargetAt> FindAsOfAsync(Guid target, long atMicros, CancellationToken cancellationToken) =>
        new(Read((target, atMicros), static (reader, asked) => reader.Audit.FindAsOf(asked.target, asked.atMicros)));

    /// <inheritdoc/>
    public ValueTask<OpeningAt> FindOpeningAsync(Guid target, long atMicros, CancellationToken cancellationToken) =>
        new(Read((target, atMicros), static (reader, asked) => reader.Audit.FindOpening(asked.target, asked.atMicros)));

    /// <inheritdoc/>
    public ValueTask<RuleOrders> FindRuleOrdersAsync(Guid target, CancellationToken cancellationToken) => LookAsync(sql => sql.FindRuleOrdersAsync(target), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<BlockOrders> FindBlockOrdersAsync(HeartId user, CancellationToken cancellationToken) => LookAsync(sql => sql.FindBlockOrdersAsync(user), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<long> CountStrayBlocksAsync(long nowMicros, CancellationToken cancellationToken) => LookAsync(sql => sql.CountStrayBlocksAsync(nowMicros), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<WatchPlace?> TryTakeTurnAsync(long nowMicros, long untilMicros, CancellationToken cancellationToken) => WriteAsync<WatchPlace?>(
        writer => writer.Run("update heart_watch set until_micros = $until where until_micros <= $now", ("$now", nowMicros), ("$until", untilMicros)) == 0
            ? null
            : Read(0, static (reader, _) => reader.Audit.FindWatch()),
        cancellationToken);

    /// <inheritdoc/>
    public async ValueTask EndTurnAsync(WatchPlace place, long nextMicros, CancellationToken cancellationToken) => await WriteAsync(
        writer => writer.Run(
            "update heart_watch set block = $block, target = $target, until_micros = $next",
            ("$block", place.Block), ("$target", place.Target.ToByteArray(bigEndian: true)), ("$next", nextMicros)),
        cancellationToken);
}
