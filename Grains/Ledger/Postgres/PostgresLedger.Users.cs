using HeartGrains.Audit;
using HeartGrains.Hearts;
using HeartGrains.Users;
using Npgsql;

namespace HeartGrains.Ledger.Postgres;

/// <summary>The log as it concerns one user.</summary>
public sealed partial class PostgresLedger
{
    private const string RenameSql = """
        update heart_event e set user_id = $2, network = null
          from unnest($3, $4) as row (target, version)
         where e.target = row.target and e.version = row.version and e.user_id = $1
        """;

    private const string CountUserSql = """
        select count(*) filter (where kind <> 3 or job is distinct from $2), count(*) filter (where kind = 1 and job = $2), count(*) filter (where kind = 2 and job = $2)
          from heart_event where user_id collate "C" = $1
        """;

    internal const string FindUserSql = "select user_id from heart_event where kind = 3 and heart = $1 and user_id <> '' order by version desc limit 1";

    /// <inheritdoc/>
    public ValueTask<int> RenameAsync(string userId, string tombstone, IReadOnlyList<EventPosition> rows, CancellationToken cancellationToken) => AskAsync(async () =>
    {
        // In one order, so that two that meet cannot wait for each other.
        EventPosition[] sorted = [.. rows.OrderBy(row => row.Target).ThenBy(row => row.Version)];
        await using var command = Command(
            RenameSql, [Value(userId), Value(tombstone), Value(Array.ConvertAll(sorted, row => row.Target)), Value(Array.ConvertAll(sorted, row => row.Version))]);
        return await command.ExecuteNonQueryAsync(cancellationToken);
    });

    /// <inheritdoc/>
    public ValueTask<UserTally> CountAsync(string userId, string job, CancellationToken cancellationToken) => AskAsync(async () =>
    {
        // Of somebody with a million hearts it takes its time, and nobody waits for it.
        await using var command = Command(CountUserSql, [Value(userId), Value(job)]);
        command.CommandTimeout = PostgresConnection.Seconds(_options.FoldTimeout);
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        await row.ReadAsync(cancellationToken);
        return new UserTally(row.GetInt64(0), row.GetInt64(1), row.GetInt64(2));
    }, Timeout.InfiniteTimeSpan);

    /// <inheritdoc/>
    public ValueTask<string?> FindUserAsync(HeartId user, CancellationToken cancellationToken) => AskAsync(async () =>
    {
        await using var command = Command(FindUserSql, [Value(user.ToGuid())]);
        command.CommandTimeout = PostgresConnection.Seconds(_options.FoldTimeout);
        return await command.ExecuteScalarAsync(cancellationToken) as string;
    }, Timeout.InfiniteTimeSpan);
}
