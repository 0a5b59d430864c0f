using HeartGrains.Gateway.Resilience;
using HeartGrains.Hearts;
using HeartGrains.Webhooks;

namespace HeartGrains.Gateway.Webhooks;

/// <summary>Asks which endpoints there are.</summary>
internal sealed class WebhookListing : GrainCall<WebhookName[]>
{
    private IWebhookListGrain _grain = null!;

    public override void Address(GrainAddresses addresses) => _grain = addresses.Webhooks();

    protected override ValueTask<WebhookName[]> SendAsync(CancellationToken cancellationToken) => _grain.ListAsync(cancellationToken);

    protected override HeartOutcome OutcomeOf(in WebhookName[] value) => HeartOutcome.Committed;
}

/// <summary>How an endpoint stands, and its first dead letters.</summary>
internal sealed class WebhookRead(string endpoint, int deadLimit) : GrainCall<(WebhookStanding? Standing, DeadLetter[]? Dead)>
{
    private IWebhookGrain _grain = null!;

    public override void Address(GrainAddresses addresses) => _grain = addresses.Webhook(endpoint);

    protected override async ValueTask<(WebhookStanding? Standing, DeadLetter[]? Dead)> SendAsync(CancellationToken cancellationToken) =>
        (await _grain.ReadAsync(cancellationToken), await _grain.ListDeadAsync("", deadLimit, cancellationToken));

    protected override HeartOutcome OutcomeOf(in (WebhookStanding? Standing, DeadLetter[]? Dead) value) =>
        value is { Standing: not null, Dead: not null } ? HeartOutcome.Committed : HeartOutcome.LedgerUnavailable;
}

/// <summary>Tries dead letters again.</summary>
internal sealed class WebhookResend(string endpoint, string? targetId) : GrainCall<int?>
{
    private IWebhookGrain _grain = null!;

    public override void Address(GrainAddresses addresses) => _grain = addresses.Webhook(endpoint);

    protected override ValueTask<int?> SendAsync(CancellationToken cancellationToken) => _grain.ResendAsync(targetId, cancellationToken);

    protected override HeartOutcome OutcomeOf(in int? value) => value is null ? HeartOutcome.LedgerUnavailable : HeartOutcome.Committed;
}
