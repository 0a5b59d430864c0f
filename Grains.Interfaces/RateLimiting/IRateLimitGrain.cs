using Orleans.Concurrency;

namespace HeartGrains.RateLimiting;

/// <summary>
/// All quotas of one key, such as a user, cluster-wide. The grain key is made by <see cref="QuotaKey"/>.
/// </summary>
[Alias("ratelimiting.IRateLimitGrain")]
public interface IRateLimitGrain : IGrainWithStringKey
{
    /// <summary>Takes what is claimed, all or nothing; claims of shadow policies do not stand in the way.</summary>
    [Alias("Acquire")]
    ValueTask<QuotaDecision> AcquireAsync(QuotaClaim[] claims, CancellationToken cancellationToken = default);

    /// <summary>Gives back what <paramref name="receipt"/> proves to have been taken, for a call that failed for our fault. Not repeated when lost.</summary>
    [Alias("Return"), OneWay]
    Task ReturnAsync(QuotaClaim[] claims, QuotaReceipt receipt);

    /// <summary>Looks at the policies named, without taking.</summary>
    [Alias("Read")]
    ValueTask<QuotaVerdict[]> ReadAsync(string[] policies, CancellationToken cancellationToken = default);

    /// <summary>Makes every quota of the key whole again.</summary>
    [Alias("Reset")]
    ValueTask ResetAsync(CancellationToken cancellationToken = default);
}

/// <summary>Tokens wanted under a policy.</summary>
/// <param name="Policy">The policy's name; one the silo does not know is not judged.</param>
/// <param name="Tokens">How many, at least 1.</param>
[GenerateSerializer, Immutable, Alias("ratelimiting.QuotaClaim")]
public readonly record struct QuotaClaim([property: Id(0)] string Policy, [property: Id(1)] long Tokens);

/// <summary>What the grain said.</summary>
/// <param name="IsAcquired">Everything claimed under enforced policies was taken; otherwise nothing was.</param>
/// <param name="Verdicts">One for each claim, in the same order.</param>
/// <param name="Receipt">Proves the taking to <see cref="IRateLimitGrain.ReturnAsync"/>.</param>
[GenerateSerializer, Immutable, Alias("ratelimiting.QuotaDecision")]
public readonly record struct QuotaDecision(
    [property: Id(0)] bool IsAcquired, [property: Id(1)] QuotaVerdict[] Verdicts, [property: Id(2)] QuotaReceipt Receipt);

/// <summary>How a key stands with one policy, at the grain.</summary>
/// <param name="IsWithin">The claim fits.</param>
/// <param name="Remaining">Whole tokens left at the grain.</param>
/// <param name="RetryAfterMillis">How long until the claim fits if nothing else is taken, rounded up; 0 when it does, <see cref="long.MaxValue"/> when it never will.</param>
/// <param name="ResetMillis">How long until the grain's share is whole, rounded up.</param>
/// <param name="Limit">The grain's share of the limit.</param>
[GenerateSerializer, Immutable, Alias("ratelimiting.QuotaVerdict")]
public readonly record struct QuotaVerdict(
    [property: Id(0)] bool IsWithin, [property: Id(1)] long Remaining, [property: Id(2)] long RetryAfterMillis, [property: Id(3)] long ResetMillis,
    [property: Id(4)] long Limit = 0)
{
    /// <summary>The verdict on a policy the silo does not have: it stands in nobody's way.</summary>
    public static QuotaVerdict Unknown { get; } = new(true, long.MaxValue, 0, 0);
}

/// <summary>Which activation took tokens, and when by its clock: the only one that can give them back.</summary>
[GenerateSerializer, Immutable, Alias("ratelimiting.QuotaReceipt")]
public readonly record struct QuotaReceipt([property: Id(0)] long Activation, [property: Id(1)] long TakenAt);
