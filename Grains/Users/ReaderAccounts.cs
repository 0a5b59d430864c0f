using System.Text.Json;
using HeartGrains.Audit;
using HeartGrains.Hearts;
using HeartGrains.Ledger;

namespace HeartGrains.Users;

/// <summary>Which account an anonymous reader's hearts are by now, as the log's decisions tell. Throws <see cref="LedgerException"/> when the store cannot answer.</summary>
internal sealed class ReaderAccounts(IEventLog log, IUserLog users)
{
    private const string ReaderPrefix = "reader:";
    private const int PageSize = 100;

    /// <summary>Whether a user is an anonymous reader.</summary>
    public static bool IsReader(string userId) => userId.StartsWith(ReaderPrefix, StringComparison.Ordinal);

    /// <summary>The account that took over the reader last, or the tombstone of one who is forgotten; whoever is no reader, or was not taken over, is the user itself.</summary>
    public async ValueTask<string> FindAsync(string userId, CancellationToken cancellationToken) =>
        IsReader(userId) && await FindIdAsync(userId, cancellationToken) is { } account
            ? await users.FindUserAsync(account, cancellationToken) ?? userId
            : userId;

    /// <summary>What stands at the desk for the account that took over the reader last; null when none has.</summary>
    public async ValueTask<HeartId?> FindIdAsync(string reader, CancellationToken cancellationToken)
    {
        HeartId? into = null;
        for (var after = EventPosition.Start; ;)
        {
            var decisions = await log.ReadAsync(after, long.MaxValue, new EventFilter(Decision.Desk, reader), PageSize, cancellationToken);
            foreach (var decision in decisions)
                if (MergedDetail.TryRead(decision.Detail) is { Into: { } text } && HeartId.TryParse(text, out var account)) into = account;
            if (decisions.Count < PageSize) return into;
            after = decisions[^1].Position;
        }
    }
}
