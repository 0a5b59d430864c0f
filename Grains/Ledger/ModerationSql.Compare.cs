using HeartGrains.Audit;
using HeartGrains.Hearts;

namespace HeartGrains.Ledger;

/// <summary>Orders as they are stored, beside the decisions they follow from.</summary>
internal abstract partial class ModerationSql
{
    internal const string RuleOrdersSql = """
        select r.target_id, r.frozen, r.moved_to, r.moved_key, r.reason, r.at_micros, d.version, d.at_micros, d.detail
          from (select 1 as one) one
          left join heart_rule r on r.target = @target
          left join heart_event d on d.about = @target and d.kind = 3
               and (d.detail like '{"action":"frozen"%' or d.detail like '{"action":"unfrozen"%' or d.detail like '{"action":"moved"%')
         order by d.version
        """;

    internal const string BlockOrdersSql = """
        select b.until_micros, d.version, d.at_micros, d.detail
          from (select 1 as one) one
          left join heart_block b on b.user_key = @user
          left join heart_event d on d.heart = @user and d.kind = 3 and (d.detail like '{"action":"blocked"%' or d.detail like '{"action":"unblocked"%')
         order by d.version desc limit 1
        """;

    public async Task<RuleOrders> FindRuleOrdersAsync(Guid target)
    {
        var rows = await QueryAsync(
            RuleOrdersSql,
            row => (
                row.IsDBNull(0) ? null : new StoredRule(
                    row.GetString(0), row.GetInt32(1) == 1, row.IsDBNull(2) ? null : row.GetString(2), row.IsDBNull(3) ? null : ReadKey(row, 3), row.GetString(4), row.GetInt64(5)),
                row.IsDBNull(6) ? null : new RuleDecision(row.GetInt64(6), row.GetInt64(7), row.GetString(8))),
            ("target", Key(target)));
        return new RuleOrders(rows[0].Item1, [.. rows.Select(static row => row.Item2).OfType<RuleDecision>()]);
    }

    public async Task<BlockOrders> FindBlockOrdersAsync(HeartId user) => (await QueryAsync(
        BlockOrdersSql,
        row => new BlockOrders(row.IsDBNull(0) ? 0 : row.GetInt64(0), row.IsDBNull(1) ? null : new RuleDecision(row.GetInt64(1), row.GetInt64(2), row.GetString(3))),
        ("user", Key(user.ToGuid()))))[0];

    public Task<long> CountStrayBlocksAsync(long nowMicros) => CountAsync(
        """
        select count(*) from heart_block b where b.until_micros > @now and not exists (
            select 1 from heart_event d where d.target = @desk and d.version = b.decided and d.heart = b.user_key and d.detail like '{"action":"blocked"%')
        """,
        ("now", nowMicros), ("desk", Key(Decision.Desk)));
}
