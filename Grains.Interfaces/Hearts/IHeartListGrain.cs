namespace HeartGrains.Hearts;

/// <summary>
/// Lists read from the ledger's projections, at most a second behind. A stateless worker: any silo answers. Its key is 0.
/// </summary>
[Alias("hearts.IHeartListGrain")]
public interface IHeartListGrain : IGrainWithIntegerKey
{
    /// <summary>Users who love the target, newest first, from below version <paramref name="before"/>.</summary>
    [Alias("Users")]
    ValueTask<HeartUsers> UsersAsync(string targetId, long before, int limit, CancellationToken cancellationToken = default);

    /// <summary>The targets with the highest counts.</summary>
    [Alias("Top")]
    ValueTask<HeartTop> TopAsync(int limit, CancellationToken cancellationToken = default);
}

/// <summary>
/// A page of users; <paramref name="IsAvailable"/> is false when the ledger could not be read. <paramref name="Floor"/> is the lowest version looked at:
/// above 1, older users may follow however few are here.
/// </summary>
[GenerateSerializer, Immutable, Alias("hearts.HeartUsers")]
public sealed record HeartUsers([property: Id(0)] bool IsAvailable, [property: Id(1)] HeartUser[] Users, [property: Id(2)] long Floor);

/// <summary>A user who loves a target: the heart's id, the version it was given at, and when.</summary>
[GenerateSerializer, Immutable, Alias("hearts.HeartUser")]
public readonly record struct HeartUser(
    [property: Id(0)] string UserId,
    [property: Id(1)] HeartId Id,
    [property: Id(2)] long Version,
    [property: Id(3)] long GivenAtMicros);

/// <summary>The top list; <paramref name="IsAvailable"/> is false when the ledger could not be read.</summary>
[GenerateSerializer, Immutable, Alias("hearts.HeartTop")]
public sealed record HeartTop([property: Id(0)] bool IsAvailable, [property: Id(1)] TopTarget[] Targets);

/// <summary>A target in the top list.</summary>
[GenerateSerializer, Immutable, Alias("hearts.TopTarget")]
public readonly record struct TopTarget([property: Id(0)] string TargetId, [property: Id(1)] long Count, [property: Id(2)] long Version);
