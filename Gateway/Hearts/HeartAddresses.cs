using HeartGrains.Hearts;
using Orleans.Runtime;

namespace HeartGrains.Gateway.Hearts;

/// <summary>
/// Addresses grains. What kind of grain answers for a heart is asked of Orleans once: <c>GetGrain</c> works that out anew each time, with
/// a kilobyte of strings.
/// </summary>
internal sealed class HeartAddresses(IGrainFactory grains)
{
    private Kind? _heart;

    /// <summary>
    /// The grain of a target, by its bare key, because the usual overload refuses keys of white space, which are fine targets. Throws while
    /// the client does not know the cluster's grains.
    /// </summary>
    public IHeartGrain Heart(string targetId)
    {
        var key = IdSpan.Create(targetId);
        if (_heart is { } heart) return (IHeartGrain)grains.GetGrain(GrainId.Create(heart.Type, key), heart.Interface);

        var first = (GrainReference)grains.GetGrain(typeof(IHeartGrain), key);
        _heart = new Kind(first.GrainId.Type, first.InterfaceType);
        return (IHeartGrain)first;
    }

    /// <summary>The grain that lists. Throws as <see cref="Heart"/> does.</summary>
    public IHeartListGrain Lists() => grains.GetGrain<IHeartListGrain>(0);

    private sealed record Kind(GrainType Type, GrainInterfaceType Interface);
}
