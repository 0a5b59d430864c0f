using HeartGrains.Audit;
using HeartGrains.Hearts;
using HeartGrains.Ledger;

namespace HeartGrains.Users;

/// <summary>The log as it concerns one user. Safe for concurrent use. Every method throws <see cref="LedgerException"/> when the store cannot answer.</summary>
public interface IUserLog
{
    /// <summary>
    /// Puts a tombstone in the place of the user's name in these rows, and forgets their network; a row without that name is left alone. Durable when it returns; returns how many rows it changed.
    /// </summary>
    ValueTask<int> RenameAsync(string userId, string tombstone, IReadOnlyList<EventPosition> rows, CancellationToken cancellationToken);

    /// <summary>How many events of a user, or under a tombstone, there are, and how many hearts a job gave and withdrew among them. Decisions of the job itself do not count.</summary>
    ValueTask<UserTally> CountAsync(string userId, string job, CancellationToken cancellationToken);

    /// <summary>The user whom the last decision of the desk about them names, by what stands for the user there, or the tombstone; null when there is none.</summary>
    ValueTask<string?> FindUserAsync(HeartId user, CancellationToken cancellationToken);
}

/// <summary>Events of a user.</summary>
/// <param name="Rows">All.</param>
/// <param name="Given">Hearts given by the job that was asked about.</param>
/// <param name="Withdrawn">Hearts withdrawn by it.</param>
public readonly record struct UserTally(long Rows, long Given, long Withdrawn);
