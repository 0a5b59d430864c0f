using Orleans.Concurrency;

namespace HeartGrains.Webhooks;

/// <summary>
/// Sends to one configured endpoint; the key is <c>w:</c> and its name. One in the cluster, so that the messages of a target go out one after the other.
/// </summary>
[Alias("webhooks.IWebhookGrain")]
public interface IWebhookGrain : IGrainWithStringKey
{
    /// <summary>Before every key.</summary>
    const string KeyPrefix = "w:";

    /// <summary>Keeps the endpoint served. Called by every silo again and again.</summary>
    [AlwaysInterleave, Alias("Serve")]
    ValueTask ServeAsync(CancellationToken cancellationToken = default);

    /// <summary>How the endpoint stands; null when the ledger cannot be read or the endpoint is not configured.</summary>
    [AlwaysInterleave, Alias("Read")]
    ValueTask<WebhookStanding?> ReadAsync(CancellationToken cancellationToken = default);

    /// <summary>What could not be delivered for a day, by target, from behind <paramref name="after"/>; null as above.</summary>
    [AlwaysInterleave, Alias("ListDead")]
    ValueTask<DeadLetter[]?> ListDeadAsync(string after, int limit, CancellationToken cancellationToken = default);

    /// <summary>Tries dead letters again: the target's, or all. Returns how many; null as above.</summary>
    [AlwaysInterleave, Alias("Resend")]
    ValueTask<int?> ResendAsync(string? targetId, CancellationToken cancellationToken = default);
}

/// <summary>Tells which endpoints are configured, on the silo that was asked. Its key is 0.</summary>
[Alias("webhooks.IWebhookListGrain")]
public interface IWebhookListGrain : IGrainWithIntegerKey
{
    /// <summary>The endpoints' names and the hosts they are at.</summary>
    [Alias("List")]
    ValueTask<WebhookName[]> ListAsync(CancellationToken cancellationToken = default);
}

/// <summary>A configured endpoint.</summary>
[GenerateSerializer, Immutable, Alias("webhooks.WebhookName")]
public sealed record WebhookName([property: Id(0)] string Name, [property: Id(1)] string Host);

/// <summary>How an endpoint stands.</summary>
/// <param name="Pending">Targets whose state is yet to be delivered.</param>
/// <param name="Failing">Of those, targets that were tried in vain.</param>
/// <param name="Dead">Targets given up.</param>
/// <param name="LastError">What came of the last attempt that failed since the endpoint's grain started; null when none did.</param>
[GenerateSerializer, Immutable, Alias("webhooks.WebhookStanding")]
public sealed record WebhookStanding(
    [property: Id(0)] long Pending, [property: Id(1)] long Failing, [property: Id(2)] long Dead, [property: Id(3)] string? LastError);

/// <summary>A target whose state could not be delivered.</summary>
/// <param name="TargetId">The target.</param>
/// <param name="Attempts">How often it was tried.</param>
/// <param name="SinceMicros">When the first attempt failed, in microseconds since 1970-01-01 UTC.</param>
/// <param name="Error">What came of the last.</param>
[GenerateSerializer, Immutable, Alias("webhooks.DeadLetter")]
public sealed record DeadLetter(
    [property: Id(0)] string TargetId, [property: Id(1)] int Attempts, [property: Id(2)] long SinceMicros, [property: Id(3)] string Error);
