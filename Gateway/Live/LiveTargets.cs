namespace HeartGrains.Gateway.Live;

/// <summary>What one client watches, within the limits of a connection, of its address and of the gateway.</summary>
internal readonly struct LiveTargets(LiveOutbox outbox, LiveAddress address, LiveHub hub, LiveOptions options)
{
    /// <summary>Watches one target for a client that knows version <paramref name="since"/> of it, or −1. Returns which limit it is over, or null.</summary>
    public LiveLimit? TrySubscribe(string target, long since)
    {
        var isNew = outbox.Find(target) is null;
        if (isNew && outbox.Count >= options.MaxTargets) return LiveLimit.Connection;
        if (isNew && !address.TryWatch()) return LiveLimit.Address;
        if (hub.TrySubscribe(outbox, target, since)) return null;
        if (isNew) address.Unwatch(1);
        return LiveLimit.Gateway;
    }

    /// <summary>Watches one no more.</summary>
    public void Unsubscribe(LiveSubscription subscription)
    {
        hub.Unsubscribe(subscription);
        address.Unwatch(1);
    }

    /// <summary>Watches nothing any more.</summary>
    public void Clear()
    {
        foreach (var subscription in outbox.Subscriptions()) Unsubscribe(subscription);
    }
}

/// <summary>Whose limit of watched targets is reached.</summary>
internal enum LiveLimit
{
    Connection,
    Address,
    Gateway,
}
