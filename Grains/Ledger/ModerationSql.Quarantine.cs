using System.Data.Common;
using System.Globalization;
using HeartGrains.Audit;
using HeartGrains.Hearts;
using HeartGrains.Moderation;

namespace HeartGrains.Ledger;

/// <summary>Quarantines: what they are, and which hearts they hold.</summary>
internal abstract partial class ModerationSql
{
    // Up to so many of a target's versions are looked through; of more, the user's own events.
    private const int NearbyVersions = 1_000;

    /// <summary>The version of the last event of the user of <c>given</c> for the target of <c>h</c>, by the index on users.</summary>
    protected abstract string LastOfUserSql { get; }

    // A heart is named by the event that gave it, where its user stands, or the tombstone. What became of it is the last event of that user for the target.
    internal string HeldSql(string which) => $"""
        select h.target, h.version, h.heart, coalesce(first.target_id, ''), given.user_id, later.kind, later.job
          from ({which}) h
          join heart_event first on first.target = h.target and first.version = 1
          join heart_event given on given.target = h.target and given.version = h.version
          join heart_event later on later.target = h.target and later.version = case
               when (select n.version from heart_event n where n.target = h.target order by n.version desc limit 1) <= h.version + {NearbyVersions}
               then (select e.version from heart_event e where e.target = h.target and e.version >= h.version and {LooseUserColumn} = given.user_id order by e.version desc limit 1)
               else ({LastOfUserSql}) end
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
        if (hearts.Count == 0) return true;
        await ExecuteAsync(
            $"""
            with held (target, version, heart) as (values {Rows(hearts, "(@t{0}, @v{0}, @h{0})")})
            insert into heart_quarantine_heart (id, target, version, heart) select @id, target, version, heart from held where true on conflict (id, target, version) do nothing
            """,
            [("id", id), .. Places(hearts), .. hearts.Select((held, index) => ($"h{index}", Key(held.Heart.ToGuid())))]);
        return true;
    }

    public async Task<IReadOnlyList<HeldState>> ReadHeldAsync(string id, int limit) => await QueryAsync(
        HeldSql("select target, version, heart from heart_quarantine_heart where id = @id order by target, version limit @limit"), ReadHeld, ("id", id), ("limit", limit));

    public async Task<IReadOnlyList<HeldState>> ReadHeldAsync(string id, IReadOnlyList<HeldHeart> hearts)
    {
        if (hearts.Count == 0) return [];
        return await QueryAsync(
            HeldSql($"select target, version, heart from heart_quarantine_heart where id = @id and (target, version) in (values {Rows(hearts, "(@t{0}, @v{0})")})"), ReadHeld,
            [("id", id), .. Places(hearts)]);
    }

    public async Task<bool> ForgetHeldAsync(string id, IReadOnlyList<HeldHeart> hearts, int released, int skipped)
    {
        if (hearts.Count == 0) return true;
        var forgotten = await ExecuteAsync(
            $"delete from heart_quarantine_heart where id = @id and (target, version) in (values {Rows(hearts, "(@t{0}, @v{0})")})", [("id", id), .. Places(hearts)]);
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

    public async Task<IReadOnlyList<UserHolds>> ListHoldsAsync(string userId, int limit) => await QueryAsync(
        $"""
        select h.id, count(*) from heart_event e join heart_quarantine_heart h on h.target = e.target and h.heart = e.heart and h.version = e.version
         where e.{UserColumn} = @user group by h.id order by h.id limit @limit
        """,
        row => new UserHolds(row.GetString(0), row.GetInt64(1)),
        ("user", userId), ("limit", limit));

    private static string Rows(IReadOnlyList<HeldHeart> hearts, string row) => string.Join(", ", Enumerable.Range(0, hearts.Count).Select(index => string.Format(CultureInfo.InvariantCulture, row, index)));

    private IEnumerable<(string, object)> Places(IReadOnlyList<HeldHeart> hearts) =>
        hearts.SelectMany((held, index) => ((string, object)[])[($"t{index}", Key(held.Target)), ($"v{index}", held.Version)]);

    private HeldState ReadHeld(DbDataReader row) => new(
        new HeldHeart(ReadKey(row, 0), row.GetInt64(1), HeartId.FromGuid(ReadKey(row, 2))),
        row.GetString(3), row.GetString(4), (HeartEventKind)row.GetInt32(5), row.IsDBNull(6) ? null : row.GetString(6));
}
