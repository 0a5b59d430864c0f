using HeartGrains.Gateway.Hearts;
using HeartGrains.Gateway.Problems;

namespace HeartGrains.Gateway.Grpc;

/// <summary>Checks a message's fields by the rules of HTTP's bodies, and collects what is wrong with them.</summary>
internal struct MessageFields
{
    /// <summary>What is wrong; null when nothing is.</summary>
    public Rejection? Rejection { get; private set; }

    public void Target(string targetId) => Check("target_id", Identifier.Check(targetId, Identifier.TargetByteLimit));

    public void Targets(IReadOnlyList<string> targetIds, int limit)
    {
        if (targetIds.Count == 0 || targetIds.Count > limit)
        {
            Reject("target_ids", $"must hold 1 to {limit} identifiers");
            return;
        }

        for (var index = 0; index < targetIds.Count; index++)
            if (Identifier.Check(targetIds[index], Identifier.TargetByteLimit) is { } wrong) Reject($"target_ids[{index}]", wrong);
    }

    public void User(string userId) => Check("user_id", Identifier.Check(userId, Identifier.UserByteLimit));

    public void Campaign(string campaignId) => Check("campaign_id", Identifier.Check(campaignId, Identifier.CampaignByteLimit));

    public void Tokens(long tokens) => Check("tokens", tokens is >= 1 and <= HeartBody.MaxTokens ? null : "must be a whole number from 1 to 2^53");

    public void Limit(int limit) => Check("limit", limit is >= 1 and <= HeartQuery.MaxLimit ? null : "must be a number from 1 to 100");

    /// <summary>After the targets, whose number bounds the work.</summary>
    public void Versions(IDictionary<string, long> versions, ICollection<string> targetIds)
    {
        if (Rejection is not null) return;
        if (versions.Count > targetIds.Count || versions.Any(known => known.Value < 0 || !targetIds.Contains(known.Key)))
            Reject("known_versions", "must hold, of targets among target_ids, versions from 0");
    }

    private void Check(string field, string? wrong)
    {
        if (wrong is not null) Reject(field, wrong);
    }

    private void Reject(string field, string message) =>
        Rejection = (Rejection ?? new Rejection(Problem.InvalidFields, "See errors for each field.")).Add(field, message);
}
