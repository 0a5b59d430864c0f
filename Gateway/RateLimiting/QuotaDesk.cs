using HeartGrains.Gateway.Resilience;
using HeartGrains.Hearts;
using HeartGrains.RateLimiting;

namespace HeartGrains.Gateway.RateLimiting;

/// <summary>What is done with quotas besides taking: looking, and making them whole.</summary>
internal sealed class QuotaDesk(Quota quota, QuotaSlices slices, GrainCalls calls, TimeProvider timeProvider)
{
    /// <summary>How the keys stand with each policy that applies to them, without taking.</summary>
    public async Task<List<QuotaStanding>> ReadAsync(QuotaKeys keys, CancellationToken cancellationToken)
    {
        var standings = new List<QuotaStanding>();
        foreach (var dimension in Enum.GetValues<QuotaDimension>())
        {
            if (keys.Of(dimension) is not { } key) continue;
            var policies = Array.FindAll(quota.Set.Policies, policy => policy.Policy.Dimension == dimension);
            if (policies.Length == 0) continue;

            var look = new QuotaLook(dimension, key, Array.ConvertAll(policies, policy => policy.Policy.Name)) { RequestAborted = cancellationToken };
            var status = await calls.CallAsync(look);
            foreach (var (index, policy) in policies.Index())
            {
                if (status != CallStatus.Answered)
                {
                    standings.Add(new QuotaStanding(policy, false, 0, 0));
                    continue;
                }

                // A grain does not know a policy that was just taken away; it applies no more.
                var verdict = look.Value[index];
                if (verdict == QuotaVerdict.Unknown) continue;
                var slice = slices.Look(policy, key);
                standings.Add(new QuotaStanding(policy, true, verdict.Remaining + slice.Tokens, Math.Max(verdict.ResetMillis, Millis(slice.TicksUntilFull))));
            }
        }

        return standings;
    }

    /// <summary>Makes a user's quotas whole, at the grain and in this gateway's slices. False when the grain could not be asked.</summary>
    public async Task<bool> ResetAsync(string userId, CancellationToken cancellationToken)
    {
        var status = await calls.CallAsync(new QuotaReset(QuotaDimension.User, userId) { RequestAborted = cancellationToken });
        if (status != CallStatus.Answered) return false;
        foreach (var policy in quota.Set.Policies)
            if (policy.Policy.Dimension == QuotaDimension.User) slices.Reset(policy, userId);
        return true;
    }

    private long Millis(long ticks) => ClockTicks.ToMillis(ticks, timeProvider.TimestampFrequency);
}

/// <summary>How a key stands with a policy, as far as this gateway can give and the grain knows.</summary>
internal readonly record struct QuotaStanding(SlicedPolicy Policy, bool IsKnown, long Remaining, long ResetMillis);

/// <summary>Looks at the policies of one dimension.</summary>
internal sealed class QuotaLook(QuotaDimension dimension, string key, string[] policies) : GrainCall<QuotaVerdict[]>
{
    private IRateLimitGrain _grain = null!;

    public override GrainPath Path => GrainPath.Quota;

    public override void Address(GrainAddresses addresses) => _grain = addresses.RateLimit(dimension, key);

    protected override ValueTask<QuotaVerdict[]> SendAsync(CancellationToken cancellationToken) => _grain.ReadAsync(policies, cancellationToken);

    protected override HeartOutcome OutcomeOf(in QuotaVerdict[] value) => HeartOutcome.Committed;
}

/// <summary>Makes the quotas of a key whole.</summary>
internal sealed class QuotaReset(QuotaDimension dimension, string key) : GrainCall<bool>
{
    private IRateLimitGrain _grain = null!;

    public override GrainPath Path => GrainPath.Quota;

    public override void Address(GrainAddresses addresses) => _grain = addresses.RateLimit(dimension, key);

    protected override async ValueTask<bool> SendAsync(CancellationToken cancellationToken)
    {
        await _grain.ResetAsync(cancellationToken);
        return true;
    }

    protected override HeartOutcome OutcomeOf(in bool value) => HeartOutcome.Committed;
}
