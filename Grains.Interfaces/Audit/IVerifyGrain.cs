using HeartGrains.Hearts;

namespace HeartGrains.Audit;

/// <summary>
/// Compares a target with its log. Its key is the target id as given. A comparison that takes longer than a call goes on in the silo; the same call again joins it and gets its report. It is forgotten with the silo,
/// and can be begun again at any time.
/// </summary>
[Alias("audit.IVerifyGrain")]
public interface IVerifyGrain : IGrainWithStringKey
{
    /// <summary>Compares, and mends what can be mended if <paramref name="repair"/> is true, in the name of <paramref name="origin"/>.</summary>
    [Alias("Verify")]
    ValueTask<TargetAnswer> VerifyAsync(bool repair, HeartOrigin origin, CancellationToken cancellationToken = default);
}

/// <summary>What is wrong somewhere.</summary>
/// <param name="Kind">
/// <c>grain</c>, <c>count</c> or <c>hearts</c>: the count in memory, in the table, or the current hearts are not what the log says, and can be mended. <c>gap</c>, <c>order</c>, <c>key</c>, <c>tombstone</c>, <c>chain</c>: the
/// log itself is not as it was written.
/// </param>
/// <param name="TargetId">Of which target; null if not of one, or if its name is not known.</param>
/// <param name="Block">In which block of the chain; null outside of it.</param>
/// <param name="Text">In words, without any user's id.</param>
[GenerateSerializer, Immutable, Alias("audit.Finding")]
public sealed record Finding(
    [property: Id(0)] string Kind, [property: Id(1)] string? TargetId, [property: Id(2)] long? Block, [property: Id(3)] string Text);

/// <summary>A target compared.</summary>
/// <param name="Version">The last version of its log.</param>
/// <param name="Count">Its hearts by the log.</param>
/// <param name="Findings">What was found, the first hundred; none is well.</param>
/// <param name="IsRepaired">The projections were made anew; <paramref name="Left"/> is what was found after that.</param>
/// <param name="Left">See <paramref name="IsRepaired"/>.</param>
[GenerateSerializer, Immutable, Alias("audit.VerifiedTarget")]
public sealed record VerifiedTarget(
    [property: Id(0)] long Version, [property: Id(1)] long Count, [property: Id(2)] Finding[] Findings, [property: Id(3)] bool IsRepaired, [property: Id(4)] Finding[] Left);

/// <summary>The answer about a target: nothing could be read, or <paramref name="Report"/>, or, when that is null, not yet.</summary>
[GenerateSerializer, Immutable, Alias("audit.TargetAnswer")]
public sealed record TargetAnswer([property: Id(0)] bool IsAvailable, [property: Id(1)] VerifiedTarget? Report, [property: Id(2)] SealHead? Head);

/// <summary>The last seal: kept elsewhere, it proves that the log up to there has not been cut or written anew.</summary>
[GenerateSerializer, Immutable, Alias("audit.SealHead")]
public sealed record SealHead([property: Id(0)] long Number, [property: Id(1)] byte[] Hash);
