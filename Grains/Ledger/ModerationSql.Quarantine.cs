using System.Data.Common;
using HeartGrains.Audit;
using HeartGrains.Hearts;
using HeartGrains.Moderation;

namespace HeartGrains.Ledger;

/// <summary>Quarantines: what they are, and which hearts they hold.</summary>
internal abstract partial class ModerationSql
{
    // A heart is named by the event that gave it, where its user stands, or the tombstone. What became of it is the last event of that user for the target.
    private string HeldSql(string which) => $"""
        select h.target, h.version, h.heart, coalesce(first.target_id, ''), given.user_id, later.kind, later.job
          from ({which}) h
          join heart_event first on first.target = h.target and first.version = 1
          join heart_event given on given.target = h.target and given.version = h.version
          join heart_event later on later.target = h.target and later.version =
               (select max(e.version) from heart_event e where e.target = h.target and e.version >= h.version and e.{UserColumn} = given.user_id)
        """;

    public async Task<bool> OpenQuarantineAsync(Quarantine quarantine, Decision decision)
    {
        await LockAsync();
        if (await FindQuarantineAsync(quarantine.Id) is not null) return false;
        await DecideAsync(decision);
        await ExecuteAsync(
            $"""
            insert into heart_quarantine (id, state, target_id, from_micros, until_micros, users, reason, actor, at_micros, released, skipped)
            values (@id, @state, {(quarantine.TargetId is null ? "null" : "@target")}, {(quarantine.FromMicros is null ? "null" : "@from")}, @until, @users, @reason, @actor, @at, 0, 0)
            """,
            [
                ("id", quarantine.Id), ("state", (int)quarantine.State), ("until", quarantine.UntilMicros), ("users", quarantine.Users), ("reason", quarantine.Reason),
                ("actor", quarantine.Actor), ("at", quarantine.AtMicros),
                .. quarantine.TargetId is { } target ? [("target", target)] : ((string, object)[])[],
                .. quarantine.FromMicros is { } from ? [("from", from)] : ((string, object)[])[],
            ]);
        return true;
    }

    public async Task<Quarantine?> FindQuarantineAsync(string id) => (await QueryAsync(
        """
        select id, state, target_id, from_micros, until_micros, users, reason, actor, at_micros, (select count(*) from heart_quarantine_heart h where h.id = q.id), released, skipped
          from heart_quarantine q where id = @id
        """,
        row => new Quarantine(
            row.GetString(0), (QuarantineState)row.GetInt32(1), row.IsDBNull(2) ? null : row.GetString(2), row.IsDBNull(3) ? null : row.GetInt64(3), row.GetInt64(4),
            row.GetInt32(5), row.GetString(6), row.GetString(7), row.GetInt64(8), row.GetInt64(9), row.GetInt64(10), row.GetInt64(11)),
        ("id", id))).FirstOrDefault();

    public async Task<bool> AdvanceQuarantineAsync(string id, QuarantineState from, QuarantineState to, Decision? decision)
    {
        await LockAsync();
        if (await ExecuteAsync("update heart_quarantine set state = @to where id = @id and state = @from", ("to", (int)to), ("id", id), ("from", (int)from)) == 0) return false;
        if (decision is not null) await DecideAsync(decision);
        return true;
    }

    public async Task<bool> HoldAsync(string id, IReadOnlyList<HeldHeart> hearts)
    {
        foreach (var held in hearts)
        {
            await ExecuteAsync(
                "insert into heart_quarantine_heart (id, target, version, heart) values (@id, @target, @version, @heart) on conflict (id, target, version) do nothing",
                ("id", id), ("target", Key(held.Target)), ("version", held.Version), ("heart", Key(held.Heart.ToGuid())));
        }

        return true;
    }

    public async Task<IReadOnlyList<HeldState>> ReadHeldAsync(string id, int limit) => await QueryAsync(
        HeldSql("select target, version, heart from heart_quarantine_heart where id = @id order by target, version limit @limit"), ReadHeld, ("id", id), ("limit", limit));

    public async Task<IReadOnlyList<HeldState>> ReadHeldAsync(string id, IReadOnlyList<HeldHeart> hearts)
    {
        var found = new List<HeldState>(hearts.Count);
        foreach (var held in hearts)
        {
            found.AddRange(await QueryAsync(
                HeldSql("select target, version, heart from heart_quarantine_heart where id = @id and target = @target and version = @version"), ReadHeld,
                ("id", id), ("target", Key(held.Target)), ("version", held.Version)));
        }

        return found;
    }

    public async Task<bool> ForgetHeldAsync(string id, IReadOnlyList<HeldHeart> hearts, int released, int skipped)
    {
        var forgotten = 0;
        foreach (var held in hearts)
        {
            forgotten += await ExecuteAsync(
                "delete from heart_quarantine_heart where id = @id and target = @target and version = @version",
                ("id", id), ("target", Key(held.Target)), ("version", held.Version));
        }

        if (forgotten > 0 && released + skipped > 0)
        {
            await ExecuteAsync(
                "update heart_quarantine set released = released + @released, skipped = skipped + @skipped where id = @id", ("released", released), ("skipped", skipped), ("id", id));
        }

        return true;
    }

    public async Task<string?> FindHoldAsync(Guid target, HeartId heart) => (await QueryAsync(
        "select id from heart_quarantine_heart where target = @target and heart = @heart limit 1", row => row.GetString(0), ("target", Key(target)), ("heart", Key(heart.ToGuid()))))
        .FirstOrDefault();

    private HeldState ReadHeld(DbDataReader row) => new(
        new HeldHeart(ReadKey(row, 0), row.GetInt64(1), HeartId.FromGuid(ReadKey(row, 2))),
        row.GetString(3), row.GetString(4), (HeartEventKind)row.GetInt32(5), row.IsDBNull(6) ? null : row.GetString(6));
}
