using HeartGrains.Hearts;

namespace HeartGrains.Ledger;

/// <summary>An origin as tables keep it: what is usual is null and costs nothing.</summary>
internal readonly record struct OriginColumns(string? Actor, short? Cause, string? Network, string? Job)
{
    public static OriginColumns Of(HeartOrigin? origin) => origin is null
        ? default
        : new(
            origin.Actor == HeartOrigin.Claimed.Actor ? null : origin.Actor,
            origin.Cause == HeartCause.User ? null : (short)origin.Cause,
            origin.Network,
            origin.Job);

    public HeartOrigin ToOrigin() => this == default
        ? HeartOrigin.Claimed
        : new(Actor ?? HeartOrigin.Claimed.Actor, Network, (HeartCause)(Cause ?? 0), Job);
}
