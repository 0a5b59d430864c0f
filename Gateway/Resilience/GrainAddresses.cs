using HeartGrains.Audit;
using HeartGrains.Hearts;
using HeartGrains.Jobs;
using HeartGrains.Live;
using HeartGrains.Moderation;
using HeartGrains.RateLimiting;
using HeartGrains.Users;
using HeartGrains.Webhooks;
using Orleans.Runtime;

namespace HeartGrains.Gateway.Resilience;

/// <summary>
/// Addresses grains; each method throws while the client does not know the cluster's grains. What kind of grain implements an interface is asked
/// of Orleans once: <c>GetGrain</c> works that out anew each time, with a kilobyte of strings.
/// </summary>
internal sealed class GrainAddresses(IGrainFactory grains)
{
    private Kind? _heart;
    private Kind? _rule;
    private Kind? _rateLimit;
    private ILiveObserver? _observer;

    /// <summary>The grain of a target, by its bare key: the usual overload refuses keys of white space, which are fine targets.</summary>
    public IHeartGrain Heart(string targetId) => (IHeartGrain)Find(ref _heart, typeof(IHeartGrain), targetId);

    /// <summary>The same grain, for operators.</summary>
    public ITargetRuleGrain Rule(string targetId) => (ITargetRuleGrain)Find(ref _rule, typeof(ITargetRuleGrain), targetId);

    /// <summary>The grain for what operators ask that is not one target's matter.</summary>
    public IModerationGrain Moderation() => grains.GetGrain<IModerationGrain>(0);

    /// <summary>The grain of a key's quotas.</summary>
    public IRateLimitGrain RateLimit(QuotaDimension dimension, string key) =>
        (IRateLimitGrain)Find(ref _rateLimit, typeof(IRateLimitGrain), QuotaKey.Of(dimension, key));

    /// <summary>The grain that lists.</summary>
    public IHeartListGrain Lists() => grains.GetGrain<IHeartListGrain>(0);

    /// <summary>The grain that sends to an endpoint.</summary>
    public IWebhookGrain Webhook(string endpoint) => grains.GetGrain<IWebhookGrain>(IWebhookGrain.KeyPrefix + endpoint);

    /// <summary>The grain that knows the endpoints.</summary>
    public IWebhookListGrain Webhooks() => grains.GetGrain<IWebhookListGrain>(0);
    /// <summary>The grain that reads the log.</summary>
    public IEventListGrain Events() => grains.GetGrain<IEventListGrain>(0);

    /// <summary>The grain that compares a target with its log.</summary>
    public IVerifyGrain Verification(string targetId) => (IVerifyGrain)grains.GetGrain(typeof(IVerifyGrain), IdSpan.Create(targetId));

    /// <summary>The grain that long operations are started at.</summary>
    public IJobDeskGrain JobDesk() => grains.GetGrain<IJobDeskGrain>(0);

    /// <summary>The grain that tells what is held about a user.</summary>
    public IUserGrain Users() => grains.GetGrain<IUserGrain>(0);

    /// <summary>This gateway's own address. Orleans holds <paramref name="observer"/> weakly: its owner keeps it.</summary>
    public ILiveObserver Observer(ILiveObserver observer) => _observer ??= grains.CreateObjectReference<ILiveObserver>(observer);

    private IAddressable Find(ref Kind? kind, Type grainInterface, string text)
    {
        var key = IdSpan.Create(text);
        if (kind is { } known) return grains.GetGrain(GrainId.Create(known.Type, key), known.Interface);
        var grain = grains.GetGrain(grainInterface, key);
        if (grain is GrainReference reference) kind = new Kind(reference.GrainId.Type, reference.InterfaceType);
        return grain;
    }

    private sealed record Kind(GrainType Type, GrainInterfaceType Interface);
}
