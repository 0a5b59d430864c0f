using HeartGrains.Audit;

namespace HeartGrains.Ledger;

/// <summary>Opening balances: what is set and what goes along with a move, each in the transaction of its event.</summary>
internal abstract partial class ModerationSql
{
    public async Task<bool> SetOpeningAsync(Guid target, string targetId, long opening, OpeningDecision decide)
    {
        await LockAsync();
        var before = await FindOpeningAsync(target);
        if (before == opening) return false;
        await WriteOpeningAsync(target, targetId, before, opening, decide);
        return true;
    }

    public async Task<long> MoveOpeningAsync(Guid from, string fromId, Guid to, string toId, OpeningDecision decide)
    {
        await LockAsync();
        var (moved, kept) = (await FindOpeningAsync(from), await FindOpeningAsync(to));
        if (moved == 0) return kept;
        await WriteOpeningAsync(from, fromId, moved, 0, decide);
        await WriteOpeningAsync(to, toId, kept, kept + moved, decide);
        return kept + moved;
    }

    private Task<long> FindOpeningAsync(Guid target) => CountAsync("select coalesce((select opening from heart_opening where target = @target), 0)", ("target", Key(target)));

    private async Task WriteOpeningAsync(Guid target, string targetId, long before, long opening, OpeningDecision decide)
    {
        if (opening == 0)
        {
            await ExecuteAsync("delete from heart_opening where target = @target", ("target", Key(target)));
        }
        else
        {
            await ExecuteAsync(
                """
                insert into heart_opening (target, opening, target_id) values (@target, @opening, @name)
                    on conflict (target) do update set opening = excluded.opening
                """,
                ("target", Key(target)), ("opening", opening), ("name", targetId));
        }

        await DecideAsync(decide(target, targetId, before, opening));
    }
}
