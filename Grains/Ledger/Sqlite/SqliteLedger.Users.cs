using HeartGrains.Audit;
using HeartGrains.Hearts;
using HeartGrains.Users;

namespace HeartGrains.Ledger.Sqlite;

/// <summary>The log as it concerns one user.</summary>
public sealed partial class SqliteLedger
{
    /// <inheritdoc/>
    public ValueTask<int> RenameAsync(string userId, string tombstone, IReadOnlyList<EventPosition> rows, CancellationToken cancellationToken) =>
        WriteAsync(writer => writer.Users.Rename(userId, tombstone, rows), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<UserTally> CountAsync(string userId, string job, CancellationToken cancellationToken) =>
        new(Read((userId, job), static (reader, asked) => reader.Users.Count(asked.userId, asked.job)));

    /// <inheritdoc/>
    public ValueTask<string?> FindUserAsync(HeartId user, CancellationToken cancellationToken) => new(Read(user, static (reader, user) => reader.Users.FindUser(user)));
}
